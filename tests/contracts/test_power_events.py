"""What every `PowerEvents` and `PowerEventsOut` does, the simulated and the one on Redis alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from app.adapters.linux.clock import SystemClock
from app.adapters.redis.power_events import RedisPowerEvents
from app.adapters.redis.power_events_out import RedisPowerEventsOut
from app.adapters.simulated.power_events import SimulatedPowerEvents, SimulatedStream
from app.domain.errors import EventsUnavailable
from app.domain.events import Delivery, Malformed, PowerTargetChanged
from app.domain.model import FarmId, NodeId, Power
from app.ports.power_events import PowerEvents, PowerEventsOut
from tests.rigs.event_stream import power_events, power_events_out
from tests.rigs.redis import any_server, hand, new_stream

pytestmark = pytest.mark.anyio

DOWN = PowerTargetChanged(FarmId(1), NodeId(7), Power.DOWN)
UP = PowerTargetChanged(FarmId(1), NodeId(8), Power.UP)


class SimulatedRig:
    def __init__(self) -> None:
        clock = SystemClock()
        self.stream = SimulatedStream(clock)
        self.events = SimulatedPowerEvents(self.stream, clock, block_s=0.1)
        self.out: PowerEventsOut = self.events

    def another(self) -> PowerEvents:
        return SimulatedPowerEvents(self.stream, SystemClock(), block_s=0.1)

    def garbage(self) -> None:
        self.stream.append(Malformed("garbage"))

    def dead(self) -> list[str]:
        return [reason for _, reason in self.stream.dead]

    def pending(self) -> int:
        return len(self.stream.pending)


class RedisRig:
    def __init__(self, url: str) -> None:
        self._url = url
        self._names = new_stream()
        self.events = self.another()
        self.out: PowerEventsOut = RedisPowerEventsOut(url, stream=self._names["stream"])

    def another(self) -> RedisPowerEvents:
        names = self._names
        return power_events(
            self._url, block_s=0.1, stream=names["stream"], dead_letter_stream=names["dead_letter_stream"]
        )

    def garbage(self) -> None:
        with hand(self._url) as client:
            client.xadd(self._names["stream"], {"body": b"garbage"})

    def dead(self) -> list[str]:
        with hand(self._url) as client:
            return [fields[b"reason"].decode() for _, fields in client.xrange(self._names["dead_letter_stream"])]

    def pending(self) -> int:
        with hand(self._url) as client:
            found: int = client.xpending(self._names["stream"], "group:stream:public-config:power")["pending"]
            return found


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with any_server() as url:
        yield url


@pytest.fixture(params=["simulated", "redis"])
async def rig(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[SimulatedRig | RedisRig]:
    made = SimulatedRig() if request.param == "simulated" else RedisRig(redis_url)
    await made.events.open()
    yield made
    await made.events.close()
    await made.out.close()


async def take(events: PowerEvents, count: int) -> list[Delivery]:
    taken: list[Delivery] = []
    for _ in range(50):
        taken += await events.receive()
        if len(taken) >= count:
            break
    return taken


async def test_they_are_the_ports(rig: RedisRig) -> None:
    assert isinstance(rig.events, PowerEvents)
    assert isinstance(rig.out, PowerEventsOut)


async def test_what_is_published_is_delivered_in_order(rig: RedisRig) -> None:
    await rig.out.publish([DOWN, UP])
    assert [delivery.content for delivery in await take(rig.events, 2)] == [DOWN, UP]


async def test_nothing_new_is_an_empty_batch(rig: RedisRig) -> None:
    assert list(await rig.events.receive()) == []


async def test_the_first_read_after_opening_waits_for_nothing(rig: RedisRig) -> None:
    await rig.events.open()
    async with asyncio.timeout(5):
        assert list(await rig.events.receive()) == []
    await rig.out.publish([DOWN])
    await rig.events.open()
    assert [delivery.content for delivery in await rig.events.receive()] == [DOWN]


async def test_a_delivery_has_the_time_it_was_published(rig: RedisRig) -> None:
    await rig.out.publish([DOWN])
    delivery = (await take(rig.events, 1))[0]
    assert abs(delivery.published_at_s - SystemClock().now()) < 60


async def test_what_was_not_acknowledged_is_delivered_again_after_opening(rig: RedisRig) -> None:
    await rig.out.publish([DOWN, UP])
    first, _ = await take(rig.events, 2)
    await rig.events.acknowledge([first])
    await rig.events.open()
    assert [delivery.content for delivery in await take(rig.events, 1)] == [UP]


async def test_acknowledged_entries_are_gone_for_good(rig: RedisRig) -> None:
    await rig.out.publish([DOWN, UP])
    await rig.events.acknowledge(await take(rig.events, 2))
    await rig.events.open()
    assert list(await rig.events.receive()) == []
    assert rig.pending() == 0


async def test_acknowledging_nothing_or_twice_is_harmless(rig: RedisRig) -> None:
    await rig.out.publish([DOWN])
    batch = await take(rig.events, 1)
    await rig.events.acknowledge(batch)
    await rig.events.acknowledge(batch)
    await rig.events.acknowledge([])


async def test_garbage_is_malformed_and_blocks_no_other_entry(rig: RedisRig) -> None:
    rig.garbage()
    await rig.out.publish([DOWN])
    bad, good = await take(rig.events, 2)
    assert isinstance(bad.content, Malformed)
    assert good.content == DOWN


async def test_a_dead_letter_is_kept_with_its_reason_and_not_delivered_again(rig: RedisRig) -> None:
    rig.garbage()
    (bad,) = await take(rig.events, 1)
    await rig.events.dead_letter(bad, "no event")
    assert rig.dead() == ["no event"]
    assert rig.pending() == 0


async def test_another_consumer_of_the_same_name_takes_over_what_is_pending(rig: RedisRig) -> None:
    await rig.out.publish([DOWN])
    await take(rig.events, 1)
    successor = rig.another()
    await successor.open()
    assert [delivery.content for delivery in await take(successor, 1)] == [DOWN]
    await successor.close()


async def test_two_that_read_one_stream_notice_each_other(rig: RedisRig) -> None:
    assert list(await rig.events.others("node 1")) == []
    other = rig.another()
    await other.open()
    for _ in range(3):
        seen, seen_by_other = await rig.events.others("node 1"), await other.others("node 2")
    assert (list(seen), list(seen_by_other)) == (["node 2"], ["node 1"])
    await other.close()


async def test_an_earlier_process_of_this_node_is_no_other_reader(rig: RedisRig) -> None:
    predecessor = rig.another()
    await predecessor.open()
    for _ in range(3):
        await predecessor.others("node 1")
    await predecessor.close()
    for _ in range(3):
        assert list(await rig.events.others("node 1")) == []


async def test_a_redis_that_is_away_says_so() -> None:
    events = power_events("unix:///nowhere/redis.sock")
    with pytest.raises(EventsUnavailable, match=r"/nowhere/redis\.sock"):
        await events.open()
    out = power_events_out("unix:///nowhere/redis.sock")
    with pytest.raises(EventsUnavailable, match=r"/nowhere/redis\.sock"):
        await out.publish([DOWN])
