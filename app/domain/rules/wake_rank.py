"""Whose turn it is to call a sleeping node first (R7).

Theory of operation. One waker is enough, so not every node of the farm has to send at once. For each
target the wakers stand in an order that every node computes for itself, and all get the same: by
rendezvous hashing, also called highest random weight (Thaler and Ravishankar, 1998). A waker that
comes or goes changes nothing in the order of the others, and every target has an order of its own,
so that no node is first for all. A node's *rank* is the number of wakers before it.

========================  ==========================================================
rank                      first burst, to a target that the chain shows asleep
========================  ==========================================================
below ``first``           at once
below 2 × ``first``       after ``step_s``, unless the chain shows the target awake then
any other                 after 2 × ``step_s``, likewise
========================  ==========================================================

Nodes may know different wakers for a while. That costs a few bursts, or a delay within the bound.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b

from app.domain.model import NodeId, NodePower, Power, Unreadable

_UP = Power.UP  # asked of every node of a farm at every look: an enum's lookup shows


@dataclass(frozen=True, slots=True)
class WakeOrderPolicy:
    """How many wakers call at once, and how long the next ones wait; ``first`` = 0: none waits."""

    first: int = 3
    step_s: float = 120.0

    @property
    def delay_s_max(self) -> float:
        """No first burst waits longer."""
        return 2 * self.step_s

    @property
    def ranks(self) -> int:
        """From this rank on it makes no difference how many more stand before."""
        return 2 * self.first

    def delay_s(self, rank: int) -> float:
        """How long the waker of that rank leaves the target to those before it."""
        if not self.first or rank < self.first:
            return 0.0
        return self.step_s if rank < self.ranks else self.delay_s_max


def can_wake_others(power: NodePower | Unreadable) -> bool:
    """Whether a node with this entry counts as a waker: it is up, and about to stay so.

    In doubt it does not count; then those behind it call sooner.
    """
    return isinstance(power, NodePower) and power.state.power is _UP and power.target is _UP


def order(target: NodeId, wakers: Collection[NodeId]) -> list[NodeId]:
    """The wakers of ``target``, the first one first."""
    return sorted(wakers, key=lambda waker: _weight(waker, target), reverse=True)


def rank(own: NodeId, target: NodeId, wakers: Collection[NodeId], *, at_most: int) -> int:
    """How many of ``wakers`` stand before ``own`` for ``target``; counts no further than ``at_most``.

    So a large farm costs some dozen hashes a target on average, not one for each node.
    """
    mine = _weight(own, target)
    before = 0
    for waker in wakers:
        if before >= at_most:
            break
        if waker != target and _weight(waker, target) > mine:
            before += 1
    return before


def _weight(waker: NodeId, target: NodeId) -> bytes:
    """The same on every machine and in every run; the id behind the hash makes it unique."""
    name = waker.to_bytes(8)
    return blake2b(target.to_bytes(8) + name, digest_size=8).digest() + name
