"""A refusal of the Redis server is reported with its reason and a remedy, never with the password; no crash."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.domain.errors import EventsUnavailable
from app.domain.events import PowerTargetChanged
from app.domain.model import FarmId, NodeId, Power
from app.entrypoints.demo.redis_server import RedisServer
from tests.rigs.event_stream import power_events, power_events_out
from tests.rigs.node import node_rig
from tests.rigs.node_settings import PEER
from tests.rigs.redis import hand
from tests.rigs.redis_proxy import Command, proxy_before

pytestmark = pytest.mark.anyio

STREAM = "stream:power-target"
GROUP = "group:stream:public-config:power"
UP = PowerTargetChanged(FarmId(1), NodeId(7), Power.UP)


def url_of(server: RedisServer, login: str) -> str:
    return f"unix://{login}@{server.socket}"


async def refusal_of(url: str) -> str:
    """What a read says; empty if it is answered."""
    events = power_events(url, block_s=0.1)
    try:
        await events.open()
        await events.receive()
    except EventsUnavailable as error:
        return str(error)
    finally:
        await events.close()
    return ""


REFUSALS = {
    "NOAUTH Authentication required.": "broker.url",
    "WRONGPASS invalid username-password pair or user is disabled.": "broker.url",
    "ERR invalid password": "broker.url",
    "ERR Client sent AUTH, but no password is set": "broker.url",
    "NOPERM User powerd has no permissions to run the 'xreadgroup' command": "docs/redis.md",
    "NOPERM this user has no permissions to access one of the keys used as arguments": "docs/redis.md",
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.": "disk",
    "LOADING Redis is loading the dataset in memory": "wait",
    "READONLY You can't write against a read only replica.": "primary",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.": "primary",
    "NOREPLICAS Not enough good replicas to write.": "replicas",
    "OOM command not allowed when used memory > 'maxmemory'.": "maxmemory",
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.": "SCRIPT KILL",
    "WRONGTYPE Operation against a key holding the wrong kind of value": "another program",
    "CLUSTERDOWN The cluster is down": "single server",
    "MOVED 3999 127.0.0.1:6381": "single server",
    "MOVED": "an answer that can't be read",
    "ERR max number of clients reached": "max number of clients",
    "ERR unknown command `XREADGROUP`, with args beginning with: `GROUP`, `s3cret`, ": "5.0",
}


@pytest.mark.parametrize("error", REFUSALS)
async def test_r15_a_refusal_is_reported_with_a_remedy(server: RedisServer, error: str) -> None:
    def answer(command: Command) -> str | None:
        return error if command[0] == b"XREADGROUP" else None

    async with proxy_before(server, answer) as proxy:
        told = await refusal_of(proxy.url)
    assert REFUSALS[error] in told
    assert "s3cret" not in told
    assert len(told) < 300


@pytest.mark.parametrize("error", REFUSALS)
async def test_what_a_server_refuses_to_take_is_the_same_kind_of_error(server: RedisServer, error: str) -> None:
    def answer(command: Command) -> str | None:
        return error if command[0] == b"XADD" else None

    async with proxy_before(server, answer) as proxy:
        out = power_events_out(proxy.url)
        with pytest.raises(EventsUnavailable) as caught:
            await out.publish([UP])
        await out.close()
    assert "Command #" not in str(caught.value)


@pytest.mark.parametrize(
    "reply", [":1", "+OK", "*1\r\n:1", "*1\r\n*1\r\n$1\r\na", "nonsense", "*x", "$5\r\nab", "*1\r\n" * 2000], ids=ascii
)
async def test_a_server_that_talks_nonsense_is_no_crash(reply: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"+OK\r\n")
        await reader.read(1000)
        writer.write(reply.encode() + b"\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert str(port) in await refusal_of(f"tcp://127.0.0.1:{port}")
    server.close()
    await server.wait_closed()


async def test_a_user_who_may_not_read(server: RedisServer, client: Any) -> None:
    client.execute_command("ACL", "SETUSER", "powerd", "on", ">s3cret", "~*", "&*", "+@all", "-xreadgroup")
    told = await refusal_of(url_of(server, "powerd:s3cret"))
    assert "NOPERM" in told
    assert "docs/redis.md" in told


async def test_a_wrong_password_a_missing_one_and_a_user_that_is_not_there(server: RedisServer, client: Any) -> None:
    client.config_set("requirepass", "right")
    for login in ("wr0ng", "powerd:wr0ng", "default:wr0ng"):
        told = await refusal_of(url_of(server, login))
        assert "refuses" in told
        assert "wr0ng" not in told
    assert "NOAUTH" in await refusal_of(server.url())


async def test_an_unneeded_password_is_reported(server: RedisServer) -> None:
    assert "without any password" in await refusal_of(url_of(server, "s3cret"))


async def test_a_replica(server: RedisServer, client: Any) -> None:
    client.execute_command("REPLICAOF", "127.0.0.1", "1")
    told = await refusal_of(server.url())
    assert "READONLY" in told
    assert "primary" in told


async def test_a_key_of_another_type_and_of_another_program(server: RedisServer, client: Any) -> None:
    client.set(STREAM, "a text")
    assert "WRONGTYPE" in await refusal_of(server.url())


async def test_a_script_that_holds_the_server_up(server: RedisServer, client: Any) -> None:
    client.config_set("lua-time-limit", 1)
    with hand(server.url()) as another:
        script = asyncio.create_task(asyncio.to_thread(_run_for_ever, another))
        async with asyncio.timeout(10):
            while "BUSY" not in (told := await refusal_of(server.url())):
                pass
        client.script_kill()
        await script
    assert "SCRIPT KILL" in told


async def test_an_acknowledgement_that_is_refused_is_made_later_and_delivers_nothing_again(
    server: RedisServer, client: Any
) -> None:
    refused = True

    def answer(command: Command) -> str | None:
        return "NOPERM no" if refused and command[0] == b"XACK" else None

    async with proxy_before(server, answer) as proxy:
        events = power_events(proxy.url, block_s=0.02)
        out = power_events_out(proxy.url)
        await events.open()
        await out.publish([UP])
        batch = await events.receive()
        with pytest.raises(EventsUnavailable):
            await events.acknowledge(batch)
        for _ in range(3):
            assert await events.receive() == []
        await events.open()
        assert await events.receive() == []
        refused = False
        async with asyncio.timeout(10):
            while client.xpending(STREAM, GROUP)["pending"]:
                assert await events.receive() == []
        await events.close()
        await out.close()


async def test_a_group_that_is_gone_whenever_it_was_made_is_no_hot_loop(server: RedisServer) -> None:
    def answer(command: Command) -> str | None:
        return "NOGROUP No such consumer group" if command[0] == b"XREADGROUP" else None

    async with proxy_before(server, answer) as proxy:
        events = power_events(proxy.url, block_s=1)
        await events.open()
        assert await events.receive() == []
        with pytest.raises(EventsUnavailable, match="NOGROUP"):
            await events.receive()
        await events.close()


@pytest.mark.timeout(120)
async def test_r15_a_daemon_that_may_not_read_says_so_once_and_reads_as_soon_as_it_may() -> None:
    async with node_rig() as node:
        with hand(node.redis.url()) as administrator:
            rights = ["ACL", "SETUSER", "powerd", "on", ">s3cret", "~*", "&*", "+@all"]
            administrator.execute_command(*rights, "-xreadgroup")
            node.daemon.command = [
                *(node.daemon.command[0], "--broker", url_of(node.redis, "powerd:s3cret")),
                *node.daemon.command[1:],
            ]
            await node.daemon.start()
            await node.daemon.says("OperationFailed", doing="reading events", error="NOPERM")
            await node.blocks_pass(16)
            assert node.daemon.count("OperationFailed", doing="reading events") == 1
            assert node.daemon.count("Reconciled") <= 3
            administrator.execute_command(*rights, "+xreadgroup")
            mark = node.daemon.mark()
            await node.event(PEER, Power.UP)
            await node.daemon.says("EventsHandled", since=mark)
        assert not any("s3cret" in str(line) for line in node.daemon.said)


def _run_for_ever(client: Any) -> None:
    from redis.exceptions import ResponseError

    try:
        client.eval("while true do end", 0)
    except ResponseError as error:
        assert "killed" in str(error)  # noqa: PT017 - it runs in a thread
