"""Metrics over HTTP on loopback, and as a file: what clients do wrong, and what the host refuses."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from http import HTTPStatus
from pathlib import Path

import pytest
from dependency_injector import providers

from app.adapters.prometheus.server import CONNECTIONS_MAX, REQUEST_BYTES_MAX, Page, PageServer
from app.adapters.prometheus.textfile import Textfile, TextfileNotWritten
from app.domain.faults import FaultKind
from app.domain.services.context.fault_board import FaultBoard
from app.entrypoints.powerd import monitoring
from app.entrypoints.settings.loading import load_settings
from app.entrypoints.wiring.container import Container
from tests.rigs.metered import Samples
from tests.rigs.node import node_rig
from tests.rigs.node_settings import Settings
from tests.slowness import patient

pytestmark = pytest.mark.anyio

BODY = b"powerd_holds 0\n"
GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


@asynccontextmanager
async def serving(request_s_max: float = 5.0, host: str = "127.0.0.1") -> AsyncIterator[tuple[str, int]]:
    """A server of one page; gives where it listens."""
    pages = {"/metrics": lambda: Page(HTTPStatus.OK, "text/plain", BODY)}
    server = PageServer(host, 0, pages, request_s_max=request_s_max)
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(server.run(listening.set_result))
    address, _, port = (await listening).removeprefix("http://").rpartition(":")
    try:
        yield address.strip("[]"), int(port)
    finally:
        task.cancel()
        async with asyncio.timeout(patient(2)):
            with suppress(asyncio.CancelledError):
                await task


async def ask(where: tuple[str, int], request: bytes) -> tuple[int, bytes, bytes]:
    """Status, headers and body of the answer; (0, b"", b"") for none."""
    reader, writer = await asyncio.open_connection(*where)
    writer.write(request)
    with suppress(ConnectionError):
        async with asyncio.timeout(patient(10)):
            answer = await reader.read()
            writer.close()
            head, _, body = answer.partition(b"\r\n\r\n")
            return (int(head.split()[1]), head, body) if answer else (0, b"", b"")
    return 0, b"", b""


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /metrics HTTP/1.1", 200),
        ("GET /metrics?x=1 HTTP/1.0", 200),
        ("HEAD /metrics HTTP/1.1", 200),
        ("GET / HTTP/1.1", 404),
        ("POST /metrics HTTP/1.1", 405),
        ("DELETE /metrics HTTP/1.1", 405),
        ("GET /metrics", 400),
        ("\x16\x03\x01 rubbish \xff", 400),
        ("GET /" + "x" * REQUEST_BYTES_MAX + " HTTP/1.1", 431),
    ],
)
async def test_what_is_answered(request_line: str, status: int) -> None:
    async with serving() as where:
        got, head, body = await ask(where, request_line.encode("latin-1") + b"\r\n\r\n")
    assert got == status
    if status == 200:
        assert body == (b"" if request_line.startswith("HEAD") else BODY)
        assert f"Content-Length: {len(BODY)}".encode() in head
    else:
        assert body.strip()


async def test_a_client_that_says_nothing_is_left_and_others_are_served_meanwhile() -> None:
    async with serving(request_s_max=0.3) as where:
        silent, writer = await asyncio.open_connection(*where)
        assert (await ask(where, GET))[0] == 200
        async with asyncio.timeout(patient(10)):
            with suppress(ConnectionError):
                assert await silent.read() == b""
        writer.close()


async def test_many_connections_at_once_are_refused_and_harm_nothing() -> None:
    async with serving(request_s_max=patient(1)) as where:
        crowd = [await asyncio.open_connection(*where) for _ in range(CONNECTIONS_MAX + 5)]
        async with asyncio.timeout(patient(10)):
            for reader, writer in crowd:
                with suppress(ConnectionError):
                    assert await reader.read() == b""
                writer.close()
        assert (await ask(where, GET))[0] == 200


async def test_the_end_waits_for_no_client() -> None:
    async with serving(request_s_max=600) as where:
        _, writer = await asyncio.open_connection(*where)
    writer.close()


async def test_over_ipv6() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        async with serving(host="::1") as where:
            assert (await ask(where, GET))[0] == 200
    except OSError:
        pytest.skip("no IPv6 here")


# -- the daemon's tasks --------------------------------------------------------------------------------
def container(**over: object) -> Container:
    """As the daemon has it, in the profile `simulated`."""
    keys = {f"metrics.{name}": value for name, value in over.items()}
    loaded = load_settings(None, {}, {"profile": "simulated", **keys})
    made = Container(settings=providers.Object(loaded))
    made.instruments.override(made.daemon_instruments)
    return made


async def until_fault(faults: FaultBoard, *, present: bool) -> None:
    async with asyncio.timeout(patient(10)):
        while bool(faults.faults) is not present:  # noqa: ASYNC110 - the board has no event
            await asyncio.sleep(0.01)


def end_all(name: str) -> None:
    """As the daemon's end does."""
    for task in asyncio.all_tasks():
        if task.get_name().startswith(name):
            task.cancel()


async def test_a_port_that_is_taken_is_a_fault_that_ends_when_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "LISTEN_AGAIN_S", 0.05)
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        made = container(kind="http", port=port)
        async with asyncio.TaskGroup() as group:
            monitoring.show(made, group)
            await until_fault(made.faults(), present=True)
            (fault,) = made.faults().faults
            assert fault.key == FaultKind.METRICS.key()
            assert str(port) in fault.message
            assert "metrics.port" in fault.message
            taken.close()
            await until_fault(made.faults(), present=False)
            status, _, body = await ask(("127.0.0.1", port), GET)
            end_all("metrics")
    assert status == 200
    assert Samples.read(body.decode())("powerd_uncredited_seconds") == 0


async def test_the_textfile_is_whole_readable_and_gone_at_the_end(tmp_path: Path) -> None:
    directory = tmp_path / "not yet"
    path = directory / "powerd.prom"
    made = container(textfile=str(path), textfile_interval_s=0.05)
    before = os.umask(0o077)
    try:
        async with asyncio.TaskGroup() as group:
            monitoring.show(made, group)
            await until_fault(made.faults(), present=True)
            assert "metrics.textfile" in made.faults().faults[0].message
            directory.mkdir()
            await until_fault(made.faults(), present=False)
            assert Samples.read(path.read_text())("powerd_uncredited_seconds") == 0
            assert path.stat().st_mode & 0o777 == 0o644
            assert [file.name for file in directory.glob("*.prom")] == [path.name]
            end_all("metrics")
    finally:
        os.umask(before)
    assert list(directory.iterdir()) == []


async def test_a_write_that_fails_leaves_the_file_before_it(tmp_path: Path) -> None:
    path = tmp_path / "powerd.prom"
    text = iter((BODY, b"half"))
    textfile = Textfile(path, lambda: next(text))
    await textfile.write()
    (tmp_path / ".powerd.prom.new").mkdir()
    with pytest.raises(TextfileNotWritten, match=str(path)):
        await textfile.write()
    assert path.read_bytes() == BODY


async def test_a_second_daemon_leaves_the_first_ones_textfile_alone(tmp_path: Path) -> None:
    path = tmp_path / "powerd.prom"
    first, second = Textfile(path, lambda: BODY), Textfile(path, lambda: b"the second one's")
    await first.write()
    with pytest.raises(TextfileNotWritten, match="another process writes it"):
        await second.write()
    await second.remove()
    assert path.read_bytes() == BODY
    await first.write()
    await first.remove()
    await second.write()
    assert path.read_bytes() == b"the second one's"
    await second.remove()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_textfile_that_a_killed_daemon_left_is_replaced_and_no_descriptor_is_left(tmp_path: Path) -> None:
    path = tmp_path / "powerd.prom"
    path.write_bytes(b"stale")
    textfile = Textfile(path, lambda: BODY)
    await textfile.write()
    open_now = descriptors()
    for _ in range(5):
        await textfile.write()
    assert descriptors() == open_now
    assert path.read_bytes() == BODY
    await textfile.remove()


async def test_a_daemon_is_scraped_and_its_follower_listens_nowhere() -> None:
    settings: Settings = {"metrics": {"kind": "http", "port": 0}, "faults": {"hook_command": ["true"]}}
    async with node_rig(settings=settings) as node:
        await node.daemon.start()
        url = (await node.daemon.says("MetricsServed"))["facts"]["url"]
        host, _, port = url.partition("://")[2].partition("/")[0].partition(":")
        await node.daemon.says("UptimeReported")
        samples = Samples.read((await ask((host, int(port)), GET))[2].decode())
        assert samples("powerd_node_info", node="1") == 1
        answers = samples("powerd_chain_request_duration_seconds_count", endpoint=node.chain.urls[0].rstrip("/"))
        assert answers is not None
        assert answers > 5
        await node.daemon.says("Reconciled", trigger="itself: ")
        status, head, body = await ask((host, int(port)), GET.replace(b"metrics", b"healthz"))
        assert (status, json.loads(body)) == (200, {"healthy": True, "problems": []})
        assert b"application/json" in head
        await node.follower.start()
        await node.follower.says("this is node 1 of farm 1 (twin 2)")
        assert node.follower.count("MetricsServed") == 0
        for program in (node.daemon, node.follower):
            assert any(task.startswith("fault hook: ") for task in (await program.account())["tasks"])
        assert await node.daemon.stop() < 5


async def test_a_page_or_file_that_cannot_be_made_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = container(kind="http", port=0, textfile=str(tmp_path / "powerd.prom"), textfile_interval_s=0.05)
    monkeypatch.setattr(made.monitor(), "_show_node", lambda _: 1 / 0)
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serve = PageServer.run
    monkeypatch.setattr(PageServer, "run", lambda self, _: serve(self, listening.set_result))
    async with asyncio.TaskGroup() as group:
        monitoring.show(made, group)
        host, _, port = (await listening).removeprefix("http://").rpartition(":")
        assert (await ask((host, int(port)), GET))[0] == 500
        async with asyncio.timeout(patient(10)):
            while caplog.text.count("the metrics can't be made") < 2:  # noqa: ASYNC110 - the log has no event
                await asyncio.sleep(0.01)
        assert (await ask((host, int(port)), GET.replace(b"metrics", b"healthz")))[0] == 503
        end_all("metrics")
    assert "the page /metrics can't be made" in caplog.text
