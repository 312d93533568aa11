"""Whether this machine's clock is right, as far as the chain's blocks can tell (R13).

Theory of operation. A block's time is a lower bound of the time it is now: a clock behind it is wrong for
sure. A clock ahead of it is wrong only if the block is young, and that the block alone does not tell: a
chain that stands still, or an endpoint that lags, looks the same. A block that was seen to come is young.
"""

from __future__ import annotations

import enum

from app.domain.model import Head

HINT_WINDOW_S = 60.0
"""The chain takes a report whose time is no further from the time of its block (pallet_tfgrid)."""

RIGHT_AGAIN_S = 45.0
"""A clock that was wrong has to be as close as this, so that one at the edge does not fail again and again."""


class Clock(enum.Enum):
    """What one block says of the clock."""

    RIGHT = "right"
    WRONG = "wrong"
    AHEAD_OR_STALE = "ahead, or the block is old"


def judge(head: Head, now_s: float, window_s: float, *, young: bool) -> Clock:
    """Where the gateway tells the block's time vaguely, a clock that fits one possible time is right."""
    off_s = head.off_by_s(now_s)
    if off_s < -window_s:
        return Clock.WRONG
    if off_s <= window_s:
        return Clock.RIGHT
    return Clock.WRONG if young else Clock.AHEAD_OR_STALE


def same_drift(told_s: float, now_s: float) -> bool:
    """Whether another look measured the same: a block's age, and a slow answer, are part of every measure."""
    return abs(now_s - told_s) <= max(10.0, 0.1 * abs(told_s))
