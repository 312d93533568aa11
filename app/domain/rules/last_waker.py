"""Whether another node of the farm is known to be awake, so that this one may sleep (R14).

Theory of operation. A crashed node's entry on the chain says Up for ever, so the entry alone proves
nothing. A *sign of life* does: a counter that every uptime report of the node raises. It counts from
when it is seen to change, for a while; after a long time without looks, from the look before.

======  ======  ==================================  ===============
target  state   last sign of life                   known awake
======  ======  ==================================  ===============
Up      Up      less than ``fresh_s`` ago           yes
Up      Up      longer ago, or none seen yet        no
any other, or broken                                no
======  ======  ==================================  ===============

Two nodes whose targets are both Down don't count for each other: both stay up. Two that are up, of
which one dies: it stops counting for the other after ``fresh_s``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.model import NodeId, NodePower, Power, Unreadable

NEVER_S = float("-inf")

USUAL_GAP_S = 600.0
"""Between two looks at the counters; a change seen after a longer one may be nearly as old as the gap."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A node's counter, and when it was last seen to change (monotonic seconds; -inf: not yet)."""

    counter: int
    at_s: float = NEVER_S


def signs_after(
    before: Mapping[NodeId, Sign], counters: Mapping[NodeId, int], now_s: float, looked_at_s: float
) -> dict[NodeId, Sign]:
    """What is known after this look, when the one before it was at ``looked_at_s``."""
    changed_at_s = now_s if now_s - looked_at_s <= USUAL_GAP_S else looked_at_s
    signs = dict(before)
    for node, counter in counters.items():
        known = before.get(node)
        if known is None:
            signs[node] = Sign(counter)
        else:
            signs[node] = known if known.counter == counter else Sign(counter, changed_at_s)
    return signs


def is_fresh(sign: Sign, now_s: float, fresh_s: float) -> bool:
    """Whether the node gave a sign of life a short while ago."""
    return now_s - sign.at_s < fresh_s


def is_awake(power: NodePower | Unreadable) -> bool:
    """Whether the entry of a node with a fresh sign of life says that it is up, and will be."""
    return isinstance(power, NodePower) and power.target is power.state.power is Power.UP
