"""When a node that is wanted up, and called Up, is called all the same (R14).

Theory of operation. A machine that lost its power says nothing: its state stays Up, and no event comes.
What it can't do any more is report its uptime. So a node that gave no sign of life for longer than
it may is *silent*, if the chain was looked at all the time and did not stand still. It may be dark,
or hang, or be cut off; packets do a running machine no harm.

Nodes call it in the order of `app.domain.rules.wake_rank`, in long steps, and ever more seldom. Each time
it gets the bursts of a node that is hinted at.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.backoff import Backoff

STEP_S = 900.0
"""By so much the wakers behind the first ones wait longer: a machine that woke has reported by then."""

STALE_S_MAX = 180.0
"""A finalized head that is older, or as far ahead of the clock: nothing that it lacks is a silence."""


@dataclass(frozen=True, slots=True)
class SilencePolicy:
    """``call`` is False where silent nodes are not called; ``retry`` is the pace of one waker's calls (s)."""

    call: bool = True
    retry: Backoff = Backoff(900.0, 14_400.0)


@dataclass(slots=True)
class Silence:
    """Of one node: when this node calls it next (monotonic seconds), and how often it did."""

    due_at_s: float
    calls: int = 0


def counts(age_s: float, gap_s: float, gap_s_max: float) -> bool:
    """Whether time passed without a sign counts as silence: the head is of now, and the look before not long ago."""
    return abs(age_s) <= STALE_S_MAX and gap_s <= gap_s_max
