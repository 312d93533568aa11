"""Which nodes call a sleeper first, and which later (R7).

Theory of operation. One waker is enough, so not every node of the farm should send at once. The wakers
of each sleeper have an order. Every node computes it alone, and all get the same one, by rendezvous
hashing, also called highest random weight (Thaler and Ravishankar, 1998). When a waker comes or goes, the
order of the others does not change. Each sleeper has a different order, so no node is first for all. A
node's *rank* is the number of wakers before it.

==========================  ===============================================================
rank                        first burst, to a node that the chain shows asleep
==========================  ===============================================================
below ``first_wakers``      at once
below 2 × ``first_wakers``  after ``stagger_s``, unless the chain shows the node awake then
any other                   after 2 × ``stagger_s``, in the same way
==========================  ===============================================================

Nodes may know different wakers for a while. That costs extra bursts, or a delay of 2 × ``stagger_s`` at most.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from hashlib import blake2b

from app.domain.model import NodeId, Powers
from app.domain.values import value


@value
class WakeOrderPolicy:
    """``first_wakers`` wakers call at once, the next ones after ``stagger_s`` seconds. If it is 0, all call at once."""

    first_wakers: int
    stagger_s: float

    @property
    def delay_s_max(self) -> float:
        return 2 * self.stagger_s

    def delay_s(self, rank: int) -> float:
        """How long the waker of this rank defers its first burst."""
        if not self.first_wakers or rank < self.first_wakers:
            return 0.0
        return self.stagger_s if rank < 2 * self.first_wakers else self.delay_s_max


def wakers_among(powers: Powers) -> dict[NodeId, None]:
    """The nodes that count as wakers: target and state are Up.

    In doubt a node does not count, and the wakers behind it call sooner.
    """
    return {node: None for node, power in powers.items() if power.awake}


def order(target: NodeId, wakers: Collection[NodeId]) -> list[NodeId]:
    return sorted(wakers, key=lambda waker: _weight(waker, target), reverse=True)


def rank(own: NodeId, target: NodeId, wakers: Collection[NodeId], *, at_most: int) -> int:
    """How many of ``wakers`` come before ``own`` for ``target``; stops counting at ``at_most``.

    With the stop a large farm costs some dozen hashes for each target, and not one for each node.
    """
    mine = _weight(own, target)
    before = 0
    for waker in wakers:
        if before >= at_most:
            break
        if waker != target and _weight(waker, target) > mine:
            before += 1
    return before


@lru_cache(maxsize=4096)
def _weight(waker: NodeId, target: NodeId) -> bytes:
    """The same on every machine and in every run. The id after the hash makes it unique.

    Cached, since each look ranks the same nodes for the same sleepers again.
    """
    name = waker.to_bytes(8)
    return blake2b(target.to_bytes(8) + name, digest_size=8).digest() + name
