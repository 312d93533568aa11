"""R15: what fails is tried again at ever longer pauses, goes on failing and becomes a fault; one success ends it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.domain.backoff import Backoff
from app.domain.events import OperationFailed
from app.domain.faults import FaultKind
from app.domain.model import Fault
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.retry import Retry, Work
from tests.rigs.simulated.telemetry import SimulatedTelemetry
from tests.rigs.virtual_farm import context_of

pytestmark = pytest.mark.anyio

READING = Work("reading events", FaultKind.EVENTS.key(), "check Redis", Backoff(1.0, 8.0))
RAISED = Fault("events", "reading events has failed for 1 min and more: no answer; check Redis")


@pytest.fixture
def telemetry() -> SimulatedTelemetry:
    return SimulatedTelemetry()


@pytest.fixture
def context(clock: VirtualClock, telemetry: SimulatedTelemetry) -> NodeContext:
    return context_of(clock, telemetry=telemetry)


@pytest.fixture
def retry(context: NodeContext) -> Retry:
    return context.retry(READING)


async def test_r15_pauses_double_up_to_the_longest_and_begin_again_after_a_success(retry: Retry) -> None:
    assert [retry.failed("no answer") for _ in range(5)] == [1, 2, 4, 8, 8]
    retry.succeeded()
    assert retry.failed("no answer") == 1


async def test_r15_the_next_attempt_is_due_when_the_pause_is_over(retry: Retry, clock: VirtualClock) -> None:
    due = [retry.due]
    pause_s = retry.failed("no answer")
    due.append(retry.due)
    await clock.sleep(pause_s)
    due.append(retry.due)
    retry.failed("no answer")
    retry.succeeded()
    due.append(retry.due)
    assert due == [True, False, True, True]


async def test_r15_a_pause_is_slept_through(retry: Retry, clock: VirtualClock) -> None:
    began_s = clock.monotonic()
    await retry.pause("no answer")
    await retry.pause("no answer")
    assert clock.monotonic() - began_s == 3


@pytest.mark.parametrize(
    ("once", "recorded"), [(False, ["no answer", "no answer", "refused"]), (True, ["no answer", "refused"])]
)
async def test_r15_each_failure_is_recorded_or_each_reason_once(
    context: NodeContext, telemetry: SimulatedTelemetry, once: bool, recorded: list[str]
) -> None:
    retry = context.retry(replace(READING, once=once))
    for reason in ("no answer", "no answer", "refused"):
        retry.failed(reason)
    assert [failed.error for failed in telemetry.of(OperationFailed)] == recorded
    assert telemetry.of(OperationFailed)[0] == OperationFailed("reading events", "no answer", 1.0)


async def test_r15_failures_of_less_than_its_patience_are_no_fault(
    retry: Retry, context: NodeContext, clock: VirtualClock
) -> None:
    retry.failed("no answer")
    await clock.sleep(59)
    retry.failed("no answer")
    assert context.faults.faults == ()


async def test_r15_failures_that_last_are_a_fault_with_reason_and_remedy(
    retry: Retry, context: NodeContext, clock: VirtualClock
) -> None:
    retry.failed("refused")
    await clock.sleep(60)
    retry.failed("no answer")
    assert context.faults.faults == (RAISED,)


async def test_r15_doubt_without_an_attempt_counts_towards_the_fault_and_sets_no_pause(
    retry: Retry, context: NodeContext, telemetry: SimulatedTelemetry, clock: VirtualClock
) -> None:
    retry.still_failing("no answer")
    await clock.sleep(60)
    retry.still_failing("no answer")
    assert context.faults.faults == (RAISED,)
    assert retry.due
    assert telemetry.of(OperationFailed) == []


async def test_r15_a_success_clears_the_fault_and_starts_the_count_again(
    retry: Retry, context: NodeContext, clock: VirtualClock
) -> None:
    retry.failed("no answer")
    await clock.sleep(60)
    retry.failed("no answer")
    retry.succeeded()
    assert context.faults.faults == ()
    retry.failed("no answer")
    await clock.sleep(59)
    retry.failed("no answer")
    assert context.faults.faults == ()


async def test_r15_short_patience_is_shown_in_seconds(context: NodeContext) -> None:
    context.retry(replace(READING, patience_s=0.0)).failed("no answer")
    text = "reading events has failed for 0 s and more: no answer; check Redis"
    assert context.faults.faults == (Fault("events", text),)
