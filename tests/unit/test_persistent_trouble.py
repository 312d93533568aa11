"""R15: what goes on failing becomes a fault, and one success ends it."""

from __future__ import annotations

import random

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.fault_display import SimulatedFaultDisplay
from app.adapters.simulated.telemetry import SimulatedTelemetry
from app.domain.faults import FaultKind
from app.domain.model import Fault
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.context.persistent_trouble import PersistentTrouble

pytestmark = pytest.mark.anyio

DOING = "reading events"
RAISED = Fault("events", "reading events has failed for 1 min and more: no answer; check Redis")


@pytest.fixture
def board(clock: VirtualClock) -> FaultBoard:
    return FaultBoard(SimulatedFaultDisplay(), clock, SimulatedTelemetry(), random.Random(0).random)


@pytest.fixture
def trouble(board: FaultBoard, clock: VirtualClock) -> PersistentTrouble:
    return PersistentTrouble(FaultKind.EVENTS.key(), "check Redis", board, clock, patience_s=60.0)


async def test_r15_failures_of_less_than_its_patience_are_no_fault(
    trouble: PersistentTrouble, board: FaultBoard, clock: VirtualClock
) -> None:
    trouble.failed(DOING, "no answer")
    await clock.sleep(59)
    trouble.failed(DOING, "no answer")
    assert board.faults == ()


async def test_r15_failures_that_last_are_a_fault_with_reason_and_remedy(
    trouble: PersistentTrouble, board: FaultBoard, clock: VirtualClock
) -> None:
    trouble.failed(DOING, "refused")
    await clock.sleep(60)
    trouble.failed(DOING, "no answer")
    assert board.faults == (RAISED,)


async def test_r15_a_success_clears_the_fault_and_starts_the_count_anew(
    trouble: PersistentTrouble, board: FaultBoard, clock: VirtualClock
) -> None:
    trouble.failed(DOING, "no answer")
    await clock.sleep(60)
    trouble.failed(DOING, "no answer")
    trouble.succeeded()
    assert board.faults == ()
    trouble.failed(DOING, "no answer")
    await clock.sleep(59)
    trouble.failed(DOING, "no answer")
    assert board.faults == ()


async def test_r15_short_patience_is_shown_in_seconds(board: FaultBoard, clock: VirtualClock) -> None:
    trouble = PersistentTrouble(FaultKind.EVENTS.key(), "check Redis", board, clock, patience_s=0.0)
    trouble.failed(DOING, "no answer")
    assert board.faults == (Fault("events", "reading events has failed for 0 s and more: no answer; check Redis"),)
