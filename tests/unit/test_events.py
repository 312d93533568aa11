"""R9: events are acknowledged after they were handled, and none blocks another."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from app.domain.errors import EventsUnavailable
from app.domain.events import (
    Delivery,
    EventDeadLettered,
    EventsHandled,
    Malformed,
    OperationFailed,
    PowerTargetChanged,
    WakeBurstStarted,
)
from app.domain.model import FarmId, HeadKind, NodeId, NodePower, Power, PowerReading, Unreadable
from app.domain.services.events.event_handler import EventHandler
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio


def up(farm: VirtualFarm, node: int) -> PowerTargetChanged:
    return PowerTargetChanged(farm.id, NodeId(node), Power.UP)


async def test_an_event_is_not_acknowledged_before_the_chain_was_read(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        node.chain.unavailable = True
        await node.deliver(up(farm, 2))
        await farm.clock.sleep(60)
        assert len(node.stream.pending) == 1
        node.chain.unavailable = False
        await farm.until(lambda: not node.stream.pending, within_s=60)
        assert node.recorded(EventsHandled)


async def test_an_event_for_which_a_bug_reads_nothing_stays_pending(
    farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> None:
        """The chain is not read."""

    monkeypatch.setattr(EventHandler, "_look", nothing)
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        await node.deliver(up(farm, 2))
        await farm.clock.sleep(60)
        assert len(node.stream.pending) == 1
        failures = {told.error for told in node.recorded(OperationFailed) if told.doing == "handling events"}
        assert failures == {"the chain was not read for it"}


async def test_what_could_not_be_acknowledged_is_not_reported_as_handled(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        node.events.refuse_acknowledging = True
        await node.deliver(up(farm, 2))
        await farm.until(lambda: any(told.doing == "acknowledging events" for told in node.recorded(OperationFailed)))
        assert node.recorded(EventsHandled) == []


async def test_a_failing_handler_keeps_no_later_event_from_being_handled(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        farm.put_to_sleep(3)
        await farm.set_target(3, Power.UP, tell=[])
        node.chain.unavailable = True
        await node.deliver(up(farm, 2))
        await farm.clock.sleep(20)
        await node.deliver(up(farm, 3))
        node.chain.unavailable = False
        await farm.until(lambda: bool(node.packets_to(3)), within_s=60)
        await farm.until(lambda: not node.stream.pending, within_s=60)


async def test_many_events_about_few_nodes_cost_one_read(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        before = node.chain.reads
        await node.deliver(*[up(farm, 2 + n % 2) for n in range(500)])
        await farm.until(lambda: not node.stream.pending, within_s=10)
        assert node.chain.reads - before <= 10


async def test_old_and_fresh_events_are_read_at_once_and_only_a_fresh_one_wakes_a_node_that_is_up(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        before = node.chain.reads
        node.stream.append(up(farm, 2), up(farm, 3), age_s=86_400)
        await node.deliver(up(farm, 2))
        await farm.until(lambda: not node.stream.pending, within_s=10)
        assert node.chain.reads - before == 1
        await farm.until(lambda: bool(node.packets_to(2)), within_s=10)
        assert not node.packets_to(3)


async def test_what_is_no_event_goes_to_the_dead_letters_and_the_next_one_is_handled(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP, tell=[])
        await node.deliver(Malformed("offset 3: no such type"), up(farm, 2))
        await farm.until(lambda: bool(node.packets_to(2)), within_s=10)
        await farm.until(lambda: not node.stream.pending, within_s=10)
    assert [letter.reason for letter in node.recorded(EventDeadLettered)] == ["offset 3: no such type"]


async def test_a_dead_letter_that_cannot_be_written_stays_pending_and_is_tried_again(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        node.events.full = True
        await node.deliver(Malformed("garbage"))
        await farm.clock.sleep(60)
        assert len(node.stream.pending) == 1
        node.events.full = False
        await farm.until(lambda: not node.stream.pending, within_s=60)
        assert node.stream.dead


async def test_a_slow_write_of_dead_letters_delays_no_wake(farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP, tell=[])
        write = node.events.dead_letter

        async def slowly(delivery: Delivery, reason: str) -> None:
            await farm.clock.sleep(30)
            await write(delivery, reason)

        monkeypatch.setattr(node.events, "dead_letter", slowly)
        await node.deliver(Malformed("garbage"), up(farm, 2))
        await farm.until(lambda: bool(node.packets_to(2)), within_s=5)
        await farm.until(lambda: not node.stream.pending, within_s=60)
        assert node.stream.dead


@pytest.mark.parametrize("hangs", [False, True])
async def test_many_dead_letters_delay_neither_later_wakes_nor_the_progress(
    farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        farm.put_to_sleep(2)
        write = node.events.dead_letter

        async def slowly(delivery: Delivery, reason: str) -> None:
            await farm.clock.sleep(5 if hangs else 0.4)
            if hangs:
                raise EventsUnavailable("no answer within 5 s")
            await write(delivery, reason)

        monkeypatch.setattr(node.events, "dead_letter", slowly)
        await node.deliver(*[Malformed("garbage")] * 512)
        await farm.clock.sleep(2)
        await farm.set_target(2, Power.UP, tell=[1])
        await farm.until(lambda: bool(node.packets_to(2)), within_s=8)
        for _ in range(20):
            await farm.clock.sleep(60)
            assert not node.container.progress().stuck
        assert hangs or not node.stream.pending


async def test_an_old_entry_only_triggers_a_look(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        await node.deliver(up(farm, 2), age_s=601)
        await farm.until(lambda: not node.stream.pending, within_s=10)
        await farm.clock.sleep(60)
        assert not node.recorded(WakeBurstStarted)


async def test_an_old_entry_still_leads_to_waking_a_sleeper(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP, tell=[])
        await node.deliver(up(farm, 2), age_s=601)
        await farm.until(lambda: bool(node.packets_to(2)), within_s=10)


async def test_an_event_of_another_farm_is_acknowledged_and_ignored(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await node.deliver(PowerTargetChanged(FarmId(99), NodeId(2), Power.UP))
        await farm.until(lambda: not node.stream.pending, within_s=10)
        await farm.clock.sleep(60)
        assert not node.recorded(WakeBurstStarted)


async def test_acknowledging_that_fails_does_no_harm(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        node.events.refuse_acknowledging = True
        await node.deliver(up(farm, 2))
        await farm.until(lambda: bool(node.packets_to(2)), within_s=10)
        node.events.refuse_acknowledging = False
        node.events.drop_connection()
        await farm.until(lambda: not node.stream.pending, within_s=60)


class Behind:
    """The chain's answers of before an event, as those of an endpoint that does not have its block yet."""

    def __init__(self, farm: VirtualFarm, node: VirtualNode) -> None:
        self.until_s = float("inf")
        self.reads = 0
        self._clock, self._read = farm.clock, node.chain.powers
        self._old: dict[NodeId, NodePower | Unreadable] = {}
        node.chain.powers = self.powers  # type: ignore[method-assign]

    async def powers(self, nodes: Collection[NodeId], kind: HeadKind) -> PowerReading:
        reading = await self._read(nodes, kind)
        self.reads += 1
        if self._clock.monotonic() >= self.until_s:
            return reading
        for node in nodes:
            self._old.setdefault(node, reading.powers[node])
        return PowerReading(reading.head, {node: self._old[node] for node in nodes})


@pytest.mark.parametrize("behind_s", [1.0, 15.0])
async def test_r7_a_wake_whose_event_comes_before_its_block_begins_when_the_block_is_there(
    farm: VirtualFarm, behind_s: float
) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.clock.sleep(100)
        behind = Behind(farm, node)
        await node.container.chain().powers([NodeId(2)], HeadKind.BEST)
        await farm.set_target(2, Power.UP)
        behind.until_s = farm.clock.monotonic() + behind_s
        await farm.until(lambda: bool(node.recorded(EventsHandled)), within_s=5)
        assert not node.packets_to(2)
        await farm.until(lambda: bool(node.packets_to(2)), within_s=behind_s + 13)


async def test_an_event_that_no_block_explains_costs_three_more_reads(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.clock.sleep(30)
        read = Behind(farm, node)
        await node.deliver(up(farm, 2))
        await farm.clock.sleep(60)
        assert read.reads == 4
        assert len(node.recorded(EventsHandled)) == 1
        assert not node.packets_to(2)


async def test_a_later_event_is_the_one_that_counts(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.clock.sleep(30)
        read = Behind(farm, node)
        await node.deliver(up(farm, 2), PowerTargetChanged(farm.id, NodeId(2), Power.DOWN))
        await farm.clock.sleep(60)
        assert read.reads == 1
