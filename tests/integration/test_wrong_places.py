"""A URL that leads to the wrong port, or to a server that is no good: the reason in plain words, and the remedy."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.domain.errors import EventsUnavailable
from app.domain.events import PowerTargetChanged
from app.domain.model import FarmId, NodeId, Power
from app.entrypoints.demo.redis_server import RedisServer
from tests.rigs.event_stream import power_events_out
from tests.rigs.program_runs import run
from tests.rigs.redis import own_server
from tests.rigs.redis_over_tls import before

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

LIBRARY_WORDS = ("Errno", "Error", "Exception", "_ssl.c", "-+-+-", "Handshake", "{")


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with own_server() as made:
        yield made


@asynccontextmanager
async def saying(answer: bytes, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that answers whatever comes with this, and hangs up."""

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(answer)
        writer.close()

    listening = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=context)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def told_of_chain(url: str, **environment: str) -> str:
    done = await asyncio.to_thread(
        lambda: run("farm", "list", "--farm", "1", POWERD_CHAIN_URLS=url, POWERD_LOG_LEVEL="error", **environment)
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    for word in LIBRARY_WORDS:
        assert word not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            b"HTTP/1.1 503 Service Unavailable\r\nServer: nginx\r\n\r\n",
            ["HTTP 503 (Service Unavailable)", "does not answer"],
        ),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", ["HTTP 401", "wss://USER:PASSWORD@HOST"]),
        (b"HTTP/1.1 429 Too Many Requests\r\n\r\n", ["HTTP 429", "too many requests"]),
        (b"HTTP/1.1 301 Moved\r\nLocation: https://elsewhere/\r\n\r\n", ["redirects to another address"]),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", ["HTTP 404", "correct the path"]),
        (b"HTTP/1.1 999 Odd\r\n\r\n", ["HTTP 999;"]),
        (b"\x15\x03\x03\x00\x02\x02\x46", ["if this port speaks TLS, write wss://"]),
        (b"", ["closed the connection", "if this port speaks TLS"]),
    ],
)
async def test_a_server_that_is_no_chain_node_is_explained_in_plain_words(answer: bytes, words: list[str]) -> None:
    async with saying(answer) as port:
        said = await told_of_chain(f"ws://127.0.0.1:{port}")
    for word in words:
        assert word in said


async def test_tls_trouble_of_a_chain_endpoint_is_explained_in_plain_words(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    async with saying(b"", context) as port:
        said = await told_of_chain(f"wss://localhost:{port}")
        assert "its certificate is not accepted: self-signed certificate; name the authority that signed it" in said
        trusted = {"SSL_CERT_FILE": str(certificate)}
        assert "name the host in chain.urls as" in await told_of_chain(f"wss://127.0.0.1:{port}", **trusted)
        assert "if this port speaks TLS" in await told_of_chain(f"ws://127.0.0.1:{port}")
    async with saying(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert "this port does not speak TLS: write ws://" in await told_of_chain(f"wss://localhost:{port}")
    assert "Connection refused" in await told_of_chain("ws://127.0.0.1:9")


async def test_a_redis_with_tls_and_one_without_get_different_remedies(server: RedisServer, certificate: Path) -> None:
    async def told(url: str) -> str:
        events = power_events_out(url)
        try:
            with pytest.raises(EventsUnavailable) as refused:
                await events.publish([PowerTargetChanged(FarmId(1), NodeId(1), Power.UP)])
        finally:
            await events.close()
        assert [word for word in LIBRARY_WORDS if word in str(refused.value)] == []
        return str(refused.value)

    async with before(server, certificate) as port:
        assert "if this port speaks TLS, write rediss://" in await told(f"redis://localhost:{port}")
        assert "self-signed certificate; name the authority that signed it" in await told(f"rediss://localhost:{port}")
        other_name = f"rediss://127.0.0.1:{port}?ssl_ca_certs={certificate}"
        assert "name the host as its certificate does" in await told(other_name)
    async with before(server) as port:
        assert "if this port does not speak TLS, write redis://" in await told(f"rediss://localhost:{port}")
    assert "Connection refused" in await told("redis://127.0.0.1:9")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--broker", "", "hold", "list"], "it is empty"),
        (["demo", "--redis", "/run/redis.sock"], "did you mean unix:///run/redis.sock?"),
        (["demo", "--redis", "localhost:6379"], "did you mean redis://localhost:6379?"),
    ],
)
def test_a_broker_that_is_no_url_is_refused_with_what_was_meant(arguments: list[str], words: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr


@pytest.mark.parametrize("urls", ["", " , "])
def test_no_endpoint_is_not_the_default_in_silence(urls: str) -> None:
    done = run("farm", "list", "--farm", "1", POWERD_CHAIN_URLS=urls)
    assert done.returncode == 78
    assert "POWERD_CHAIN_URLS: chain.urls: has to have one entry at least" in done.stderr
