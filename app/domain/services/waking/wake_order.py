"""Computes how long this node leaves a sleeper to the nodes that come before it in the order of wakers (R7)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from app.domain.model import NodeId, NodePower, Power, Powers, Unreadable
from app.domain.rules.wake import Wake
from app.domain.rules.wake_rank import WakeOrderPolicy, rank, wakers_among


class WakeOrder:
    """Ranks this node among the wakers that the chain showed last; before its first answer there is no other waker."""

    def __init__(self, own: NodeId, policy: WakeOrderPolicy) -> None:
        self._own = own
        self._policy = policy
        self._wakers: dict[NodeId, None] = {}
        self._silent: frozenset[NodeId] = frozenset()
        self._leaving = False

    @property
    def wakers(self) -> tuple[NodeId, ...]:
        """The peers that the chain last showed Up, with target Up."""
        return tuple(self._wakers)

    @property
    def leaving(self) -> bool:
        """Whether this node is about to go down: then it leaves no sleeper to others."""
        return self._leaving

    def saw(self, powers: Powers) -> Collection[NodeId]:
        """Take the power of some peers as just read from the chain; returns those that are wakers."""
        wakers = wakers_among(powers)
        for node in self._wakers.keys() & powers.keys() - wakers.keys():
            del self._wakers[node]
        self._wakers |= wakers
        return wakers

    def saw_all(self, powers: Powers) -> None:
        """Take the power of all peers as just read from the chain."""
        self._wakers = wakers_among(powers)

    def saw_own(self, power: NodePower | Unreadable) -> None:
        """Take this node's power as just read from the chain; an answer that can't be decoded changes nothing."""
        if isinstance(power, NodePower):
            self._leaving = power.target is Power.DOWN

    def saw_silent(self, nodes: Collection[NodeId]) -> None:
        """Take these nodes as silent: they may be dark, so this node leaves no sleeper to them."""
        self._silent = frozenset(nodes)

    def turn_s(self, wake: Wake) -> float:
        """Seconds that the first burst of this wake waits; 0 when it is this node's turn at once, or it is leaving."""
        return 0.0 if self._leaving and wake.saw_down else self.delay_s(wake.node)

    def delay_s(self, target: NodeId, stagger_s: float | None = None) -> float:
        """The same, also for a node that is leaving; ``stagger_s`` takes the place of the policy's."""
        policy = self._policy if stagger_s is None else replace(self._policy, stagger_s=stagger_s)
        if not policy.first_wakers:
            return 0.0
        wakers = [node for node in self._wakers if node not in self._silent] if self._silent else self._wakers
        return policy.delay_s(rank(self._own, target, wakers, at_most=2 * policy.first_wakers))
