"""Redis dies, hangs, loses data or fills up; entries are trimmed, damaged, abandoned. No readable event is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.adapters.codecs.power_target import TargetChange, encode
from app.adapters.redis.power_events import RedisPowerEvents
from app.adapters.redis.readers import UNNAMED
from app.domain.errors import EventsUnavailable
from app.domain.events import Delivery, Malformed, PowerTargetChanged
from app.domain.model import FarmId, NodeId, Power
from app.entrypoints.demo.redis_server import RedisServer
from tests.rigs.event_stream import power_events, power_events_out
from tests.rigs.redis import hand, own_server
from tests.slowness import patient

pytestmark = pytest.mark.anyio

STREAM = "stream:power-target"
GROUP = "group:stream:public-config:power"
DEAD = "stream:power-target:dead-letter"


def change(node: int) -> PowerTargetChanged:
    return PowerTargetChanged(FarmId(1), NodeId(node), Power.UP)


async def publish(server: RedisServer, *nodes: int) -> None:
    out = power_events_out(server.url())
    try:
        await out.publish([change(node) for node in nodes])
    finally:
        await out.close()


def consumer(server: RedisServer, **options: Any) -> RedisPowerEvents:
    return power_events(server.url(), **{"block_s": 0.2, **options})


async def reading(server: RedisServer, **options: Any) -> RedisPowerEvents:
    """A consumer whose next read waits for entries: the first one after `open` does not."""
    events = consumer(server, **options)
    await events.open()
    assert await events.receive() == []
    return events


async def nodes_of(events: RedisPowerEvents, count: int) -> list[int]:
    """Nodes of the next deliveries, acknowledged."""
    found: list[int] = []
    async with asyncio.timeout(patient(30)):
        while len(found) < count:
            batch = await events.receive()
            await events.acknowledge(batch)
            found += [delivery.content.node for delivery in batch if isinstance(delivery.content, PowerTargetChanged)]
    return found


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop run until something that happens outside of it holds."""
    async with asyncio.timeout(patient(20)):
        while not holds():  # noqa: ASYNC110 - the condition is in the server, which has no event to await
            await asyncio.sleep(0.001)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def waiting_in_receive(events: RedisPowerEvents, client: Any, group: asyncio.TaskGroup) -> asyncio.Task[Any]:
    """A read that is blocked in the server by now."""

    async def read() -> BaseException | list[Delivery]:
        try:
            return list(await events.receive())
        except EventsUnavailable as error:
            return error

    task = group.create_task(read())
    await until(lambda: client.info("clients")["blocked_clients"] == 1)
    return task


@pytest.mark.parametrize("persistent", [True, False])
async def test_killed_in_a_blocked_read_and_restarted(persistent: bool) -> None:
    with own_server(persistent=persistent) as server:
        events = consumer(server, block_s=5)
        await events.open()
        await publish(server, 1)
        delivered = await events.receive()
        assert len(delivered) == 1
        with hand(server.url()) as client:
            async with asyncio.TaskGroup() as group:
                read = await waiting_in_receive(events, client, group)
                server.kill()
        assert isinstance(read.result(), EventsUnavailable)
        with pytest.raises(EventsUnavailable):
            await events.open()
        server.start()
        await events.open()
        await publish(server, 2)
        expected = [1, 2] if persistent else [2]
        assert await nodes_of(events, len(expected)) == expected
        await events.close()


async def test_data_lost_without_the_connection_lost(server: RedisServer, client: Any) -> None:
    events = consumer(server)
    await events.open()
    client.flushall()
    await publish(server, 1)
    assert await nodes_of(events, 1) == [1]
    await events.close()


async def test_the_stream_is_deleted_in_the_middle_of_a_blocked_read(server: RedisServer, client: Any) -> None:
    events = await reading(server, block_s=5)
    async with asyncio.TaskGroup() as group:
        read = await waiting_in_receive(events, client, group)
        client.delete(STREAM)
    assert read.result() == []
    await publish(server, 1)
    assert await nodes_of(events, 1) == [1]
    await events.close()


async def test_the_stream_is_deleted_under_pending_entries(server: RedisServer, client: Any) -> None:
    events = consumer(server)
    await events.open()
    await publish(server, 1)
    batch = await events.receive()
    client.delete(STREAM)
    await events.acknowledge(batch)
    await publish(server, 2)
    assert await nodes_of(events, 1) == [2]
    await events.close()


async def test_a_hundred_trimmed_pending_entries_before_a_live_one(server: RedisServer, client: Any) -> None:
    events = consumer(server, batch=10)
    await events.open()
    await publish(server, *range(1, 102))
    for _ in range(11):
        await events.receive()
    client.xtrim(STREAM, maxlen=1, approximate=False)
    await events.open()
    assert await nodes_of(events, 1) == [101]
    assert client.xpending(STREAM, GROUP)["pending"] == 0
    await events.close()


async def test_connections_killed_by_an_administrator(server: RedisServer, client: Any) -> None:
    events = await reading(server, block_s=5)
    async with asyncio.TaskGroup() as group:
        read = await waiting_in_receive(events, client, group)
        client.client_kill_filter(_type="normal", skipme=True)
    assert isinstance(read.result(), EventsUnavailable)
    await events.open()
    await publish(server, 1)
    assert await nodes_of(events, 1) == [1]
    await events.close()


async def test_a_server_that_hangs_is_away_after_the_answer_time(server: RedisServer) -> None:
    events = consumer(server, answer_s=1.0)
    await events.open()
    server.freeze()
    with pytest.raises(EventsUnavailable):
        await events.receive()
    server.thaw()
    await events.open()
    await publish(server, 1)
    assert await nodes_of(events, 1) == [1]
    await events.close()


async def test_a_full_server_keeps_the_entry_pending_until_its_dead_letter_is_written(
    server: RedisServer, client: Any
) -> None:
    events = consumer(server)
    await events.open()
    client.xadd(STREAM, {"body": b"garbage"})
    (bad,) = await events.receive()
    client.config_set("maxmemory", 1)
    with pytest.raises(EventsUnavailable, match=r"maxmemory|OOM"):
        await events.dead_letter(bad, "garbage")
    with pytest.raises(EventsUnavailable):
        await publish(server, 1)
    assert client.xpending(STREAM, GROUP)["pending"] == 1
    client.config_set("maxmemory", 0)
    await events.dead_letter(bad, "garbage")
    assert client.xpending(STREAM, GROUP)["pending"] == 0
    ((_, letter),) = client.xrange(DEAD)
    assert letter == {b"body": b"garbage", b"reason": b"garbage", b"id": bad.id.encode()}
    await events.close()


async def test_a_second_consumer_of_the_group_died_holding_entries(server: RedisServer) -> None:
    dead = consumer(server, consumer="other")
    await dead.open()
    await publish(server, 1, 2)
    assert len(await dead.receive()) == 2
    await dead.close()
    events = consumer(server, abandoned_s=0)
    await events.open()
    assert await nodes_of(events, 2) == [1, 2]
    await events.close()


async def test_entries_that_another_consumer_still_works_on_are_left_to_it(server: RedisServer) -> None:
    busy = consumer(server, consumer="other")
    await busy.open()
    await publish(server, 1)
    assert len(await busy.receive()) == 1
    events = consumer(server, abandoned_s=600)
    await events.open()
    assert await events.receive() == []
    await busy.close()
    await events.close()


async def test_poison_among_good_ones(server: RedisServer, client: Any) -> None:
    events = consumer(server)
    await events.open()
    await publish(server, 1)
    client.xadd(STREAM, {"body": b"\xff\x00garbage"})
    client.xadd(STREAM, {"other": b"1", "fields": b"2"})
    neither = encode(TargetChange(1, 7, is_up=False, is_down=False))
    client.xadd(STREAM, {"first": b"x", "body": neither})
    await publish(server, 2)
    contents = [delivery.content for delivery in await events.receive()]
    assert [type(content) for content in contents] == [
        PowerTargetChanged,
        Malformed,
        Malformed,
        Malformed,
        PowerTargetChanged,
    ]
    reasons = [content.reason for content in contents if isinstance(content, Malformed)]
    assert "offset" in reasons[0]
    assert "no field body" in reasons[1]
    assert "neither" in reasons[2]
    await events.close()


async def test_five_hundred_at_once(server: RedisServer) -> None:
    events = consumer(server, batch=128)
    await events.open()
    await publish(server, *range(500))
    assert await nodes_of(events, 500) == list(range(500))
    await events.close()


async def test_a_cancelled_read_loses_nothing(server: RedisServer, client: Any) -> None:
    events = await reading(server, block_s=5)
    async with asyncio.TaskGroup() as group:
        read = await waiting_in_receive(events, client, group)
        # The loop does not run in between: the entry is delivered, and its reader never sees it.
        client.xadd(STREAM, {"body": encode(TargetChange(1, 1, is_up=True, is_down=False))})
        read.cancel()
    await publish(server, 2)
    assert await nodes_of(events, 2) == [1, 2]
    await events.close()


@pytest.mark.parametrize("turns", range(12))
async def test_a_cancellation_is_never_swallowed(server: RedisServer, turns: int) -> None:
    """The library waits with `asyncio.wait_for`, which before Python 3.12 may lose one: the daemon would not stop."""
    events = await reading(server, block_s=0.2)
    read = asyncio.ensure_future(events.receive())
    for _ in range(turns):
        await asyncio.sleep(0)
    read.cancel()
    await asyncio.wait([read])
    assert read.cancelled()
    await events.close()


async def test_what_a_dead_connection_took_comes_without_a_reconnection(server: RedisServer, client: Any) -> None:
    """A server that has not noticed yet that a reader is gone still hands it the next entry."""
    events = consumer(server, block_s=0.05)
    await events.open()
    assert await events.receive() == []
    client.xadd(STREAM, {"body": encode(TargetChange(1, 1, is_up=True, is_down=False))})
    client.xreadgroup(GROUP, "power", {STREAM: ">"})
    assert await nodes_of(events, 1) == [1]
    await events.close()


async def test_what_a_peer_died_with_is_taken_over_without_a_reconnection(server: RedisServer, client: Any) -> None:
    events = consumer(server, block_s=0.05, abandoned_s=0.2)
    await events.open()
    assert await events.receive() == []
    client.xadd(STREAM, {"body": encode(TargetChange(1, 1, is_up=True, is_down=False))})
    client.xreadgroup(GROUP, "another", {STREAM: ">"})
    assert await nodes_of(events, 1) == [1]
    await events.close()


async def test_another_reader_of_the_stream_is_noticed_until_it_is_gone(server: RedisServer) -> None:
    one, other = consumer(server, reader_gone_s=0.3), consumer(server)
    for _ in range(3):
        await other.others("node 2 of farm 1")
        seen = await one.others("node 1 of farm 1")
    assert seen == ["node 2 of farm 1"]
    await other.close()
    async with asyncio.timeout(10):
        while await one.others("node 1 of farm 1"):  # noqa: ASYNC110 - that nothing comes is what is waited for
            await asyncio.sleep(0.05)
    await one.close()


async def test_r15_a_program_that_reads_as_the_same_consumer_is_noticed_until_it_is_gone(
    server: RedisServer, client: Any
) -> None:
    """As the Go powerd does: same group, same consumer, and no field in the hash."""
    events = consumer(server, block_s=0.5)
    await events.open()

    async def looks(count: int, *, stranger: bool) -> list[str]:
        names: list[str] = []
        for _ in range(count):
            read = asyncio.create_task(events.receive())
            while stranger and not read.done():
                await asyncio.to_thread(client.xreadgroup, GROUP, "power", {STREAM: ">"}, block=50)
            assert await read == []
            names += await events.others("node 1 of farm 1")
        return names

    assert await looks(4, stranger=False) == []
    assert UNNAMED in await looks(4, stranger=True)
    assert await looks(1, stranger=False) == []
    await events.close()


async def test_a_read_whose_wait_an_operator_ends_shows_no_other_program(server: RedisServer, client: Any) -> None:
    events = await reading(server, block_s=20)
    for _ in range(3):
        read = asyncio.create_task(events.receive())
        await until(lambda: client.info("clients")["blocked_clients"] == 1)
        (waiting,) = [each for each in client.client_list() if "b" in each["flags"]]
        client.client_unblock(int(waiting["id"]))
        assert await read == []
        assert await events.others("node 1 of farm 1") == []
    await events.close()


async def test_reconnecting_leaks_neither_connections_nor_descriptors(server: RedisServer, client: Any) -> None:
    events = consumer(server, block_s=0.01)
    await events.open()
    client.ping()
    before = descriptors(), client.info("clients")["connected_clients"]
    for _ in range(200):
        await events.open()
    await until(lambda: (descriptors(), client.info("clients")["connected_clients"]) == before)
    await events.close()


async def test_the_commands_are_those_of_the_go_programs(server: RedisServer, client: Any) -> None:
    """Recorded from the real Go producer and consumer (zosbase, redigo 2.0.0)."""
    with client.monitor() as monitor:
        events = consumer(server, batch=128)
        await events.open()
        await publish(server, 7)
        await events.acknowledge(await events.receive())
        assert await events.receive() == []
        await events.close()
        client.ping()
        seen = []
        for command in monitor.listen():
            if command["command"] == "PING":
                break
            seen.append(command["command"])
    assert f"XGROUP CREATE {STREAM} {GROUP} 0 MKSTREAM" in seen
    assert any(command.startswith(f"XADD {STREAM} MAXLEN ~ 1024 * body ") for command in seen)
    pending, at_once, new = (command for command in seen if command.startswith("XREADGROUP"))
    assert pending == f"XREADGROUP GROUP {GROUP} power COUNT 128 STREAMS {STREAM} 0"
    assert at_once == f"XREADGROUP GROUP {GROUP} power COUNT 128 STREAMS {STREAM} >"
    assert new == f"XREADGROUP GROUP {GROUP} power COUNT 128 BLOCK 200 STREAMS {STREAM} >"
    assert any(command.startswith(f"XACK {STREAM} {GROUP} ") for command in seen)
