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

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.model import NodeId, NodePower, Power, Unreadable

NEVER_S = float("-inf")

USUAL_GAP_S = 600.0
"""The usual time between two looks. After a longer gap, a change may be nearly as old as the gap."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A node's counter, and when a look last saw it change (monotonic seconds; -inf: never)."""

    counter: int
    at_s: float = NEVER_S


def signs_after(
    before: Mapping[NodeId, Sign], counters: Mapping[NodeId, int], now_s: float, looked_at_s: float
) -> dict[NodeId, Sign]:
    """The signs after this look; ``looked_at_s`` is the time of the look before it."""
    changed_at_s = now_s if now_s - looked_at_s <= USUAL_GAP_S else looked_at_s
    signs = dict(before)
    for node, counter in counters.items():
        known = before.get(node)
        if known is None:
            signs[node] = Sign(counter)
        elif known.counter != counter:
            signs[node] = Sign(counter, changed_at_s)
    return signs


def is_fresh(sign: Sign, now_s: float, fresh_s: float) -> bool:
    """Whether the node's last sign of life is less than ``fresh_s`` old."""
    return now_s - sign.at_s < fresh_s


def is_awake(power: NodePower | Unreadable) -> bool:
    """Whether target and state are Up."""
    return isinstance(power, NodePower) and power.target is power.state.power is Power.UP
