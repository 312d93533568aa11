"""R5: when our state Down counts as final."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.model import Head, HeadKind, Inclusion, NodePower, Power, PowerState, Unreadable
from app.domain.rules.power import Observation, OwnPower
from app.domain.rules.shutdown import Finality, already_final, finality_of_down
from tests.rigs.policies import POLICIES

DOWN = NodePower(PowerState(Power.DOWN, 10), Power.DOWN)
UP = NodePower(PowerState(Power.UP), Power.DOWN)
POLICY = replace(POLICIES.shutdown, settled_s=30)


def at(number: int, power: NodePower | Unreadable, kind: HeadKind = HeadKind.FINALIZED) -> OwnPower:
    return OwnPower(Head(kind, number, f"0x{number}", 0.0), power)


def seen(best: OwnPower, finalized: OwnPower | None) -> Observation:
    return Observation(best=best, finalized=finalized, now_s=0.0)


@pytest.mark.parametrize(
    ("finalized", "expected"),
    [
        (at(9, UP), Finality.PENDING),
        (at(10, DOWN), Finality.FINAL),
        (at(11, DOWN), Finality.FINAL),
        (at(10, UP), Finality.UNDONE),
        (at(12, Unreadable("?")), Finality.UNDONE),
    ],
)
def test_with_finality_the_finalized_block_decides(finalized: OwnPower, expected: Finality) -> None:
    observation = seen(at(12, DOWN, HeadKind.BEST), finalized)
    assert finality_of_down(observation, Inclusion("0xa", 10), 1e6, POLICY) is expected


@pytest.mark.parametrize("down", [Inclusion("0xa", 10), Inclusion("0xa", None)])
@pytest.mark.parametrize(
    ("waited_s", "best", "expected"),
    [
        (29.9, DOWN, Finality.PENDING),
        (30.0, DOWN, Finality.FINAL),
        (30.0, UP, Finality.UNDONE),
    ],
)
def test_without_finality_a_down_that_is_still_there_some_time_later_counts(
    down: Inclusion, waited_s: float, best: NodePower, expected: Finality
) -> None:
    observation = seen(OwnPower(None, best), None)
    assert finality_of_down(observation, down, waited_s, POLICY) is expected


@pytest.mark.parametrize(
    ("best", "finalized", "expected"),
    [
        (DOWN, at(10, DOWN), True),
        (UP, at(10, DOWN), False),
        (DOWN, at(10, UP), False),
        (DOWN, None, False),
    ],
)
def test_a_down_of_an_earlier_boot_need_not_be_said_again(
    best: NodePower, finalized: OwnPower | None, expected: bool
) -> None:
    assert already_final(seen(at(12, best, HeadKind.BEST), finalized)) is expected
