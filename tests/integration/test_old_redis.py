"""powerd works with every server from Redis 5.0 on. Later commands are used if they exist, and never needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.adapters.codecs.go_types import STRING
from app.adapters.codecs.zbus_frames import ObjectId
from app.adapters.redis.inspection import GroupLook, RedisInspection
from app.adapters.redis.power_events import RedisPowerEvents
from app.adapters.zbus.client import ZbusClient
from app.adapters.zbus.neighbours import Remote, RemoteMethod
from app.adapters.zbus.server import Served, ZbusServer
from app.domain.events import PowerTargetChanged
from app.domain.model import FarmId, NodeId, Power
from app.entrypoints.demo.redis_server import RedisServer
from tests.rigs.event_stream import power_events, power_events_out
from tests.rigs.node import node_rig
from tests.rigs.node_settings import PEER
from tests.rigs.redis import hand
from tests.rigs.redis_proxy import Proxy, as_5_0, proxy_before

pytestmark = pytest.mark.anyio

STREAM = "stream:power-target"
GROUP = "group:stream:public-config:power"


@pytest.fixture
async def old(server: RedisServer) -> AsyncIterator[Proxy]:
    async with proxy_before(server, as_5_0) as proxy:
        yield proxy


async def publish(url: str, *nodes: int) -> None:
    out = power_events_out(url)
    await out.publish([PowerTargetChanged(FarmId(1), NodeId(node), Power.UP) for node in nodes])
    await out.close()


async def nodes_of(events: RedisPowerEvents, count: int) -> list[int]:
    found: list[int] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            batch = await events.receive()
            await events.acknowledge(batch)
            found += [each.content.node for each in batch if isinstance(each.content, PowerTargetChanged)]
    return found


async def test_events_are_published_and_read(old: Proxy, client: Any) -> None:
    events = power_events(old.url, block_s=0.1)
    await events.open()
    await publish(old.url, 1, 2)
    client.xadd(STREAM, {"body": b"garbage"})
    first, second, bad = await events.receive()
    await events.acknowledge([first, second])
    await events.dead_letter(bad, "garbage")
    assert client.xpending(STREAM, GROUP)["pending"] == 0
    assert await events.receive() == []
    await events.close()


async def test_what_a_dead_consumer_left_is_taken_over_page_by_page(old: Proxy, client: Any) -> None:
    events = power_events(old.url, block_s=0.1, abandoned_s=0, batch=4)
    await events.open()
    await publish(old.url, *range(1, 11))
    client.xreadgroup(GROUP, "another", {STREAM: ">"})
    assert sorted(await nodes_of(events, 10)) == list(range(1, 11))
    assert client.xpending(STREAM, GROUP)["pending"] == 0
    await events.close()


async def test_what_another_still_works_on_is_left_to_it(old: Proxy, client: Any) -> None:
    events = power_events(old.url, block_s=0.1, abandoned_s=600)
    await events.open()
    await publish(old.url, 1)
    client.xreadgroup(GROUP, "another", {STREAM: ">"})
    assert await events.receive() == []
    await events.close()


async def test_trimmed_entries_of_a_dead_consumer_are_acknowledged(old: Proxy, client: Any) -> None:
    events = power_events(old.url, block_s=0.05, abandoned_s=0)
    await events.open()
    await publish(old.url, 1, 2)
    client.xreadgroup(GROUP, "another", {STREAM: ">"})
    client.xtrim(STREAM, maxlen=0, approximate=False)
    await publish(old.url, 3)
    assert await nodes_of(events, 1) == [3]
    async with asyncio.timeout(10):
        while client.xpending(STREAM, GROUP)["pending"]:
            await events.receive()
    await events.close()


async def test_what_it_does_not_know_is_asked_for_once(old: Proxy) -> None:
    events = power_events(old.url, block_s=0.01)
    await events.open()
    for _ in range(5):
        await events.receive()
    assert old.count("XAUTOCLAIM") == 1
    await events.close()


async def test_taking_over_that_is_refused_does_not_stand_in_front_of_the_read(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(command: Any) -> str | None:
        forbidden = command[0] in (b"XAUTOCLAIM", b"XPENDING", b"XCLAIM", b"XGROUP")
        return "NOPERM this user has no permissions" if forbidden else None

    with hand(server.url()) as administrator:
        administrator.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    async with proxy_before(server, refuse) as proxy:
        events = power_events(proxy.url, block_s=0.01)
        await events.open()
        await publish(proxy.url, 1)
        assert await nodes_of(events, 1) == [1]
        for _ in range(3):
            await events.receive()
        assert len([each for each in caplog.messages if "NOPERM" in each]) == 1
        await events.close()


async def test_powerd_check_finds_its_version_and_all_that_is_needed(old: Proxy) -> None:
    inspection = RedisInspection(old.url, stream=STREAM, group=GROUP, dead_letter_stream=f"{STREAM}:dead", answer_s=5.0)
    try:
        assert await inspection.version()
        assert await inspection.refused() == {}
        assert await inspection.group() == GroupLook(0, there=False)
    finally:
        await inspection.close()


async def test_calls_are_made_and_served_over_zbus(old: Proxy) -> None:
    async def greet() -> str:
        return "hello"

    object_ = ObjectId("greeter", "1.0")
    server = ZbusServer(old.url, "module", {object_: {"Greet": Served((), STRING, greet)}}, lambda: 0.5)
    client = ZbusClient(old.url)
    serving = asyncio.create_task(server.run())
    method = RemoteMethod(Remote("module", object_), "Greet", (), STRING)
    assert await client.call(method, timeout_s=10) == "hello"
    await client.close()
    serving.cancel()
    await asyncio.wait([serving])
    await server.close()


@pytest.mark.timeout(120)
async def test_a_daemon_and_its_follower_run_on_it() -> None:
    async with node_rig() as node, proxy_before(node.redis, as_5_0) as proxy:
        for each in (node.daemon, node.follower):
            each.command = [*each.command[:1], "--broker", proxy.url, *each.command[1:]]
        await node.daemon.start()
        await node.follower.start()
        await node.daemon.says("UptimeReported")
        async with asyncio.timeout(30):
            while not (node.directory / "cursor.json").exists():
                await node.blocks_pass(1)
        await node.set_target(Power.DOWN, PEER)
        await node.daemon.says("EventsHandled", nodes=[int(PEER)])
        assert not node.daemon.count("OperationFailed")
