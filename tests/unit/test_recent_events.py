"""The last events, as `powerd status` shows them."""

from __future__ import annotations

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.adapters.telemetry.recent import KEPT_MAX, KeptEvents
from app.domain.events import EventsHandled, FaultCleared, OperationFailed, Reconciled, StayingUp
from app.domain.model import NodeId
from app.ports.telemetry import RecentEvents, Telemetry

pytestmark = pytest.mark.anyio


async def test_the_last_ones_are_kept_oldest_first_and_routine_is_left_out(clock: VirtualClock) -> None:
    kept = KeptEvents(clock)
    assert isinstance(kept, RecentEvents)
    assert isinstance(kept, Telemetry)
    for number in range(KEPT_MAX + 5):
        kept.record(FaultCleared(f"node-{'x' * number}-asleep"))
        kept.record(Reconciled("itself: clock"))
    assert [event.facts["key"].count("x") for event in kept.latest()] == list(range(5, KEPT_MAX + 5))


async def test_what_comes_again_is_one_entry_with_the_newest_figures(clock: VirtualClock) -> None:
    kept = KeptEvents(clock)
    for age in (61, 62, 63):
        kept.record(StayingUp(f"the best head is {age} s old"))
        await clock.sleep(1)
    kept.record(OperationFailed("reading", "no answer", 1.0))
    first, second = kept.latest()
    assert (first.times, first.facts, first.at_s) == (3, {"reason": "the best head is 63 s old"}, clock.now() - 1)
    assert (second.times, second.kind) == (1, "OperationFailed")


async def test_lists_and_absent_facts_are_words(clock: VirtualClock) -> None:
    kept = KeptEvents(clock)
    kept.record(EventsHandled(2, [NodeId(2), NodeId(3)]))
    assert kept.latest()[0].facts == {"deliveries": "2", "nodes": "2, 3"}
