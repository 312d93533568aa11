"""What a block's time says of a clock, to the second (R13)."""

from __future__ import annotations

import pytest

from app.domain.model import Head, HeadKind
from app.domain.rules.clock import ClockState, judge, same_drift

BLOCK_S = 1_700_000_000.0


def head(uncertainty_s: float = 0.0) -> Head:
    return Head(HeadKind.BEST, 100, "0x64", BLOCK_S, uncertainty_s)


@pytest.mark.parametrize(
    ("ahead_s", "young", "verdict"),
    [
        (0.0, False, ClockState.RIGHT),
        (60.0, False, ClockState.RIGHT),
        (60.5, False, ClockState.AHEAD_OR_STALE),
        (86_400.0, False, ClockState.AHEAD_OR_STALE),
        (60.5, True, ClockState.WRONG),
        (60.0, True, ClockState.RIGHT),
        (-60.0, False, ClockState.RIGHT),
        (-60.5, False, ClockState.WRONG),
        (-60.5, True, ClockState.WRONG),
    ],
)
def test_r13_a_clock_behind_a_block_is_wrong_and_one_ahead_of_it_only_if_the_block_is_young(
    ahead_s: float, young: bool, verdict: ClockState
) -> None:
    assert judge(head(), BLOCK_S + ahead_s, 60.0, young=young) is verdict


@pytest.mark.parametrize(
    ("ahead_s", "verdict"), [(-1059, ClockState.RIGHT), (-1060, ClockState.WRONG), (61, ClockState.WRONG)]
)
def test_r13_where_the_gateway_gives_a_rough_time_every_time_in_it_counts(ahead_s: float, verdict: ClockState) -> None:
    assert judge(head(999.0), BLOCK_S + ahead_s, 60.0, young=True) is verdict


@pytest.mark.parametrize(
    ("told_s", "now_s", "same"), [(200.0, 219.0, True), (200.0, 221.0, False), (70.0, 61.0, True), (-70.0, 70.0, False)]
)
def test_a_drift_that_is_measured_again_is_the_same_within_what_measuring_takes(
    told_s: float, now_s: float, same: bool
) -> None:
    assert same_drift(told_s, now_s) is same
