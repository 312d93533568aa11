"""R15: events that can't be read: ever longer pauses, one line, one look at the chain afterwards, and a fault."""

from __future__ import annotations

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.domain.events import FaultCleared, FaultRaised, OperationFailed, Reconciled
from app.domain.services.context.retry import REASONS_MAX
from app.domain.services.events.event_reader import READING
from tests.rigs.simulated.telemetry import SimulatedTelemetry
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode, context_of

pytestmark = pytest.mark.anyio

HOUR_S = 3600


def reconnects(node: VirtualNode) -> int:
    return sum("events reconnected" in told.trigger for told in node.recorded(Reconciled))


def failures(node: VirtualNode) -> list[str]:
    return [told.error for told in node.recorded(OperationFailed) if told.doing == "reading events"]


async def test_r15_a_stream_that_opens_and_cannot_be_read_is_no_hot_loop(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(HOUR_S)
        healthy = node.chain.reads
        node.events.unreadable = True
        await farm.clock.sleep(HOUR_S)
        assert node.chain.reads - healthy <= healthy + 2
        assert failures(node) == ["the simulated bus refuses to be read"]


async def test_r15_after_a_minute_it_is_a_fault_that_does_not_change_and_is_cleared(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        node.events.unreadable = True
        await farm.clock.sleep(59)
        assert "events" not in node.fault_keys
        await farm.clock.sleep(HOUR_S)
        message = node.fault("events").message
        for words in ("reading events", "1 min", "refuses to be read", "docs/redis.md"):
            assert words in message
        assert len([told for told in node.recorded(FaultRaised) if told.key == "events"]) == 1
        node.events.unreadable = False
        await farm.until(lambda: "events" not in node.fault_keys, within_s=45)
        assert [told.key for told in node.recorded(FaultCleared)] == ["events"]


async def test_r2_the_chain_is_looked_at_once_when_events_are_read_again(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        before = reconnects(node)
        node.events.unavailable = True
        await farm.clock.sleep(30)
        node.events.unavailable = False
        node.events.unreadable = True
        await farm.clock.sleep(60)
        assert reconnects(node) == before
        node.events.unreadable = False
        await farm.clock.sleep(60)
        assert reconnects(node) == before + 2  # the node itself, and its farm


async def test_r15_another_outage_begins_with_a_short_pause_and_is_logged_again(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        for _ in range(2):
            await farm.clock.sleep(10)
            node.events.unreadable = True
            await farm.clock.sleep(600)
            node.events.unreadable = False
            await farm.clock.sleep(60)
        retries = [told.retry_in_s for told in node.recorded(OperationFailed) if told.doing == "reading events"]
        assert len(retries) == 2
        assert max(retries) < 1


async def test_r15_reasons_that_alternate_or_never_repeat_do_not_fill_the_log(clock: VirtualClock) -> None:
    telemetry = SimulatedTelemetry()
    retry = context_of(clock, telemetry=telemetry).retry(READING)
    for number in range(100):
        await retry.pause(f"reason {number % 2}")
    told = [each for each in telemetry.recorded if isinstance(each, OperationFailed)]
    assert [each.error for each in told] == ["reason 0", "reason 1"]
    for number in range(100):
        await retry.pause(f"port {number}")
    told = [each for each in telemetry.recorded if isinstance(each, OperationFailed)]
    assert len(told) == REASONS_MAX
