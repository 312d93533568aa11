"""Knows which nodes can wake others, and so how long this one leaves a sleeper to those before it (R7)."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.model import NodeId, NodePower, Power, Unreadable
from app.domain.wake_rank import TurnPolicy, can_wake_others, place

Powers = Mapping[NodeId, NodePower | Unreadable]


class Turns:
    """This node's turns. It knows what the chain last said, and before that, nobody but itself."""

    def __init__(self, own: NodeId, policy: TurnPolicy) -> None:
        self._own = own
        self._policy = policy
        self._wakers: dict[NodeId, None] = {}
        self._leaving = False

    @property
    def leaving(self) -> bool:
        """Whether this node is to go down: then it leaves nothing to others."""
        return self._leaving

    def saw(self, powers: Powers) -> None:
        """This is what the chain says of some peers."""
        for node, power in powers.items():
            if can_wake_others(power):
                self._wakers[node] = None
            else:
                self._wakers.pop(node, None)

    def saw_all(self, powers: Powers) -> None:
        """This is what the chain says of all peers there are."""
        self._wakers = {node: None for node, power in powers.items() if can_wake_others(power)}

    def saw_own(self, power: NodePower | Unreadable) -> None:
        """This is what the chain says of this node; an answer that can't be read changes nothing."""
        if isinstance(power, NodePower):
            self._leaving = power.target is Power.DOWN

    def delay_s(self, target: NodeId) -> float:
        """How long a first burst to a sleeping ``target`` waits; 0 when it is this node's turn at once."""
        if self._leaving or not self._policy.first:
            return 0.0
        return self._policy.delay_s(place(self._own, target, self._wakers, at_most=self._policy.places))
