"""Whether this machine's clock is right, as far as the chain's blocks show (R13).

Theory of operation. A block's time is a lower bound of the time now, so a clock behind it is wrong. A
clock ahead of it is wrong only if the block is young. The block alone does not show that: a chain that
stands still, or an endpoint that lags, looks the same. A block is young if powerd saw it arrive.
"""

from __future__ import annotations

import enum

from app.domain.model import Head

HINT_WINDOW_S = 60.0
"""The chain takes a report if its time is at most so far from the time of its block (pallet_tfgrid)."""

RIGHT_AGAIN_S = 45.0
"""After it was wrong, the clock counts as right only within this, so that it does not flap at the limit."""


class ClockState(enum.Enum):
    """What one block says of the clock."""

    RIGHT = "right"
    WRONG = "wrong"
    AHEAD_OR_STALE = "ahead, or the block is old"


def judge(head: Head, now_s: float, window_s: float, *, young: bool) -> ClockState:
    """Judge the clock by the head. If the block's time is vague, a clock that fits one possible time is right."""
    off_s = head.off_by_s(now_s)
    if off_s < -window_s:
        return ClockState.WRONG
    if off_s <= window_s:
        return ClockState.RIGHT
    return ClockState.WRONG if young else ClockState.AHEAD_OR_STALE


def same_drift(reported_s: float, now_s: float) -> bool:
    """Whether a new measurement is the drift reported before, though block age and slow answers change it."""
    return abs(now_s - reported_s) <= max(10.0, 0.1 * abs(reported_s))
