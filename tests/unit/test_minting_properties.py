"""Whatever a node does in a period: a second reading of the rules gives the same answer, and the books balance."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.minting.events import (
    Event,
    Initial,
    NodeUptimeReported,
    PowerStateChanged,
    PowerTargetChanged,
    TimedEvent,
)
from app.domain.minting.ledger import EventOutOfPlace, MonthLedger
from app.domain.minting.month import Booking, Month
from app.domain.minting.period import FIRST_START_S, LENGTH_S, Period
from app.domain.model import NodeId, Power
from tests.rigs.minting_reference import ReferenceNode

PERIOD = Period(2_000_000, 2_200_000)
NODE = NodeId(3)
POWERS = st.sampled_from(Power)
PAUSES = st.one_of(st.integers(0, 90), st.integers(1100, 1300), st.integers(1700, 2500), st.integers(2500, 90_000))


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """A node that reports, boots, sleeps and lies, from a little before the period to well after it."""
    events: list[Event] = []
    if draw(st.booleans()):
        events.append(Initial(NODE, draw(POWERS), draw(POWERS), since_s=PERIOD.start_s - draw(st.integers(0, 90_000))))
    now = PERIOD.start_s + draw(st.integers(0, 3000))
    boot = now - draw(st.integers(0, 200_000))
    for _ in range(draw(st.integers(1, 40))):
        kind = draw(st.sampled_from(["report", "report", "report", "boot", "lie", "target", "state"]))
        if kind == "boot":
            boot = now
        elif kind in ("report", "lie"):
            lie = draw(st.integers(-3000, 3000)) if kind == "lie" else draw(st.integers(-70, 70))
            events.append(NodeUptimeReported(now, NODE, max(0, now - boot + lie)))
        elif kind == "target":
            events.append(PowerTargetChanged(now, NODE, draw(POWERS)))
        else:
            events.append(PowerStateChanged(now, NODE, draw(POWERS)))
        now += draw(PAUSES)
    return events


def judged(events: list[Event], node: NodeId = NODE) -> tuple[Month, list[Booking]]:
    bookings: list[Booking] = []
    ledger = MonthLedger(PERIOD, lambda of, booking: bookings.append(booking) if of == node else None)
    for event in events:
        ledger.add(event)
    return ledger.close(node), bookings


@given(lives())
def test_a_second_reading_of_the_rules_gives_the_same_answer(life: list[Event]) -> None:
    reference = ReferenceNode(PERIOD)
    for event in life:
        if isinstance(event, Initial):
            reference.begin(event)
        elif event.time_s <= PERIOD.end_s + 27 * 3600:
            reference.see(event)
    month, _ = judged(life)
    violation = None if month.violation is None else month.violation.value
    assert (month.credited_s, month.slow_boots, violation) == reference.verdict()


@given(lives())
def test_the_bookings_add_up_to_the_credit_and_to_the_period(life: list[Event]) -> None:
    month, bookings = judged(life)
    assert sum(booking.credited_s for booking in bookings) == month.credited_s
    assert sum(booking.credited_s + booking.lost_s for booking in bookings) >= PERIOD.length_s
    assert all(booking.credited_s >= 0 and booking.lost_s >= 0 for booking in bookings)


@given(lives(), lives())
def test_a_node_is_judged_by_its_own_events_alone(one: list[Event], other: list[Event]) -> None:
    renamed = [dataclasses.replace(event, node=NodeId(4)) for event in other]
    both = sorted(one + renamed, key=lambda e: -1 if isinstance(e, Initial) else e.time_s)
    assert judged(both) == judged(one)


@given(st.integers(600, 2460), st.integers(0, 10**6))
def test_a_node_that_runs_and_reports_in_time_earns_the_whole_period(every_s: int, boot_before_s: int) -> None:
    boot = PERIOD.start_s - boot_before_s
    first = PERIOD.start_s + min(every_s, boot_before_s)
    times = range(first, PERIOD.end_s + every_s + 1, every_s)
    month, _ = judged([NodeUptimeReported(time, NODE, time - boot) for time in times])
    assert month.violation is None
    lost_at_most = 0 if boot_before_s >= every_s else first - PERIOD.start_s
    assert PERIOD.length_s - lost_at_most <= month.credited_s <= PERIOD.length_s


def test_events_out_of_order_and_a_second_beginning_are_refused_by_name() -> None:
    ledger = MonthLedger(PERIOD)
    event: TimedEvent = NodeUptimeReported(PERIOD.start_s + 9, NODE, 5)
    ledger.add(event)
    with pytest.raises(EventOutOfPlace, match="node 3 at 2000008 comes after one at 2000009"):
        ledger.add(NodeUptimeReported(PERIOD.start_s + 8, NODE, 5))
    with pytest.raises(EventOutOfPlace, match="initial state of node 3"):
        ledger.add(Initial(NODE, Power.UP, Power.UP))
    assert ledger.nodes == (NODE,)


def test_the_calendar() -> None:
    period = Period.at(100)
    assert period == Period(FIRST_START_S + 100 * LENGTH_S, FIRST_START_S + 101 * LENGTH_S, 100)
    assert Period.holding(period.start_s) == Period.holding(period.end_s - 1) == period
    assert Period.holding(period.end_s).number == 101
