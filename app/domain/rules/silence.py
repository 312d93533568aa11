"""When powerd calls a node whose target and state are both Up (R14).

Theory of operation. When a machine loses its power, its state stays Up and no event comes. But it
reports no uptime any more. So a node without a sign of life for longer than the limit is *silent*, if
this node looked at the chain all the time and the chain did not stand still. A silent node may be dark,
hang, or be cut off. Magic packets do a running machine no harm.

Nodes call it in the order of `app.domain.rules.wake_rank`, with long delays between ranks, and less and
less often. Each call is the three bursts of a hint.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.backoff import Backoff
from app.domain.values import value

STEP_S = 900.0
"""How much later wakers of the next ranks call: a machine that woke has reported by then."""

STALE_S_MAX = 180.0
"""If the finalized head is older, or so far ahead of the clock, the time does not count as silence."""


@value
class SilencePolicy:
    """``call``: whether silent nodes are called. ``retry``: the delays between calls of one waker."""

    call: bool
    retry: Backoff = Backoff(900.0, 14_400.0)


@dataclass(slots=True)
class Silence:
    """A silent node: when this node calls it next (monotonic seconds), and how often it has called."""

    due_at_s: float
    calls: int = 0


def counts(age_s: float, gap_s: float, gap_s_max: float) -> bool:
    """Whether time without a sign counts as silence: the head is recent, and so was the look before (``gap_s``)."""
    return abs(age_s) <= STALE_S_MAX and gap_s <= gap_s_max
