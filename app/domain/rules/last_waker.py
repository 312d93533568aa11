"""Whether another node of the farm is known to be awake, so that this one can sleep (R14).

Theory of operation. The entry of a crashed node stays Up for ever, so the entry alone proves nothing. A
*sign of life* does: a counter that every uptime report of the node raises. It counts for ``fresh_s``,
from the look that saw the change; if that look came late, from the look before it.

======  ======  ==================================  ===============
target  state   last sign of life                   known awake
======  ======  ==================================  ===============
Up      Up      less than ``fresh_s`` ago           yes
Up      Up      longer ago, or none seen yet        no
any other, or broken                                no
======  ======  ==================================  ===============

Two nodes whose targets are both Down do not count for each other: both stay up. Of two nodes that are
up, one crashes: it stops counting for the other after ``fresh_s``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.domain.model import NodeId

NEVER_S = float("-inf")

USUAL_GAP_S = 600.0
"""The usual time between two looks. After a longer gap, a change may be nearly as old as the gap."""


def heard_now(
    before: Mapping[NodeId, int], counters: Mapping[NodeId, int], now_s: float, looked_at_s: float
) -> dict[NodeId, float]:
    """The nodes whose counter this look saw change, and when it did (monotonic seconds; -inf: it was not known).

    ``before`` are the counters of the look before, and ``looked_at_s`` is its time.
    """
    changed_at_s = now_s if now_s - looked_at_s <= USUAL_GAP_S else looked_at_s
    changed = [node for node, counter in counters.items() if before.get(node) != counter]
    return {node: changed_at_s if node in before else NEVER_S for node in changed}


def fresh_among(nodes: Iterable[NodeId], heard_s: Mapping[NodeId, float], now_s: float, fresh_s: float) -> list[NodeId]:
    """The nodes whose last sign of life is less than ``fresh_s`` old."""
    before_s, heard_at_s = now_s - fresh_s, heard_s.get
    return [node for node in nodes if heard_at_s(node, NEVER_S) > before_s]
