"""The daemon as a process, while its Redis dies, hangs, loses data, fills up or gets garbage."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.domain.model import Power
from tests.rigs.node import Node, node_rig
from tests.rigs.node_settings import PEER
from tests.rigs.redis import hand

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

STREAM = "stream:power-target"
GROUP = "group:stream:public-config:power"


async def reading(node: Node) -> None:
    """It runs, and waits for events."""
    await node.daemon.start()
    await node.daemon.says("UptimeReported")
    await hears(node)


async def hears(node: Node) -> None:
    """An event that comes now is handled."""
    mark = node.daemon.mark()
    await node.event(PEER, Power.UP)
    await node.daemon.says("EventsHandled", since=mark)


async def hears_all(node: Node, deliveries: int) -> None:
    """The number that was handled since the start."""
    mark, seen = 0, 0
    while seen < deliveries:
        line = await node.daemon.says("EventsHandled", since=mark)
        mark = node.daemon.said.index(line, mark) + 1
        seen += line["facts"]["deliveries"]


def broker(node: Node) -> Any:
    """A hand on its Redis."""
    return hand(node.redis.url())


async def test_killed_in_a_blocking_read_and_back_with_its_data() -> None:
    async with node_rig() as node:
        await reading(node)
        await asyncio.to_thread(node.redis.kill)
        await node.daemon.says("OperationFailed", doing="reading events")
        await asyncio.to_thread(node.redis.start)
        await hears(node)


def forget_all(redis: Any) -> None:
    redis.flushall()


def delete_stream(redis: Any) -> None:
    redis.delete(STREAM)


def destroy_group(redis: Any) -> None:
    redis.xgroup_destroy(STREAM, GROUP)


def trim(redis: Any) -> None:
    redis.xtrim(STREAM, maxlen=0, approximate=False)


def kill_connections(redis: Any) -> None:
    redis.client_kill_filter(_type="normal", skipme=True)


@pytest.mark.parametrize("do", [forget_all, delete_stream, destroy_group, trim, kill_connections])
async def test_under_a_blocking_read_an_administrator_may(do: Callable[[Any], None]) -> None:
    async with node_rig() as node:
        await reading(node)
        with broker(node) as redis:
            do(redis)
        await hears(node)


async def test_hung_it_is_left_and_found_again() -> None:
    async with node_rig() as node:
        await reading(node)
        node.redis.freeze()
        await node.daemon.says("OperationFailed", doing="reading events")
        node.redis.thaw()
        await hears(node)


async def test_without_any_redis_the_node_still_obeys_the_chain() -> None:
    async with node_rig(settings={"power_management": {"reconcile_interval_s": 0.5}}) as node:
        await asyncio.to_thread(node.redis.kill)
        await node.daemon.start()
        await node.daemon.says("UptimeReported")
        await node.set_target(Power.DOWN)
        await node.daemon.says("PowerOffOrdered")


async def test_a_wake_survives_the_death_of_redis_and_of_the_daemon() -> None:
    async with node_rig() as node:
        await node.target(Power.DOWN, PEER)
        await node.peer_says(Power.DOWN)
        await reading(node)
        await node.daemon.kill()
        await node.target(Power.UP, PEER)
        await asyncio.to_thread(node.redis.kill)
        mark = node.daemon.mark()
        await node.daemon.start()
        await node.daemon.says("WakeBurstStarted", since=mark, node=PEER)
        await asyncio.to_thread(node.redis.start)
        await node.daemon.says("EventsHandled", since=mark)


async def test_full_it_is_read_all_the_same_and_rubbish_is_put_aside_when_there_is_room() -> None:
    async with node_rig() as node:
        await reading(node)
        await node.daemon.kill()
        with broker(node) as redis:
            redis.xadd(STREAM, {"body": b"rubbish"})
            await node.event(PEER, Power.UP)
            redis.config_set("maxmemory", 1)
            mark = node.daemon.mark()
            await node.daemon.start()
            await node.daemon.says("EventsHandled", since=mark)
            await node.daemon.says("OperationFailed", since=mark, doing="handling events", error="maxmemory")
            redis.config_set("maxmemory", 0)
            await node.daemon.says("EventDeadLettered", since=mark)
            await hears(node)
            assert redis.xpending(STREAM, GROUP)["pending"] == 0


async def test_rubbish_is_put_aside_and_what_is_good_is_handled() -> None:
    async with node_rig() as node:
        await reading(node)
        with broker(node) as redis:
            rubbish = [{"body": body} for body in (b"", b"\x00" * 4096, b"\xff\xfe", b"{}")]
            entries = [redis.xadd(STREAM, fields) for fields in (*rubbish, {"no": "body"})]
            await hears(node)
            for entry in entries:  # after the good ones of the same read
                await node.daemon.says("EventDeadLettered", delivery=entry.decode())
            assert redis.xlen(f"{STREAM}:dead-letter") == 5
            assert redis.xpending(STREAM, GROUP)["pending"] == 0


async def test_five_hundred_events_at_once_are_few_looks_at_the_chain() -> None:
    async with node_rig() as node:
        await reading(node)
        handled = sum(each["facts"]["deliveries"] for each in node.daemon.said if each.get("event") == "EventsHandled")
        with broker(node) as redis:
            (_, fields), *_ = redis.xrange(STREAM)
            pipeline = redis.pipeline()
            for _ in range(500):
                pipeline.xadd(STREAM, fields)
            pipeline.execute()
        await hears_all(node, handled + 500)
        told = [each["facts"]["deliveries"] for each in node.daemon.said if each.get("event") == "EventsHandled"]
        assert sum(told) - handled == 500
        assert len(told) < 50


async def test_trimmed_pending_entries_before_a_live_one() -> None:
    async with node_rig() as node:
        await reading(node)
        await node.daemon.kill()
        with broker(node) as redis:
            (_, fields), *_ = redis.xrange(STREAM)
            for _ in range(100):
                redis.xadd(STREAM, fields)
            assert redis.xreadgroup(GROUP, "power", {STREAM: ">"}, count=100)
            redis.xtrim(STREAM, maxlen=0, approximate=False)
            redis.xadd(STREAM, fields)
            mark = node.daemon.mark()
            await node.daemon.start()
            await node.daemon.says("EventsHandled", since=mark)
            await hears(node)
            assert redis.xpending(STREAM, GROUP)["pending"] == 0
