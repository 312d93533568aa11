"""Nodes whose event came before the chain that was read had its block; they are read again soon.

Endpoints do not have a block at the same moment, nor do the nodes behind one load balancer. So the read after an event
may show the target of before the event. The next round of looks would find the new one minutes later.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from app.domain.model import NodeId, NodePower, Power, Powers
from app.ports.clock import Clock

LOOK_AGAIN_S = (3.0, 6.0, 12.0)
"""After these times, one after the other. An event that no block explains by then was superseded, or forged."""


@dataclass(slots=True)
class Ahead:
    """The target in the event, and when to look again (monotonic seconds) after ``looks`` such looks."""

    target: Power
    due_s: float
    looks: int = 0


class EventsAhead:
    """Compares events with what the chain said after them. For an event alone, nothing else is done (R1)."""

    def __init__(self, clock: Clock, own: NodeId) -> None:
        self._clock = clock
        self._own = own
        self._ahead: dict[NodeId, Ahead] = {}

    @property
    def due_in_s(self) -> float | None:
        """Seconds until the next look; None while there is none."""
        now_s = self._clock.monotonic()
        return min((max(0.0, each.due_s - now_s) for each in self._ahead.values()), default=None)

    def due(self) -> Sequence[NodeId]:
        """The nodes to look at now, the own node first. `looked` must follow for those that were looked at."""
        now_s = self._clock.monotonic()
        due = (node for node, each in self._ahead.items() if each.due_s <= now_s)
        return sorted(due, key=lambda node: node != self._own)

    def came(self, targets: Mapping[NodeId, Power]) -> None:
        """Events with these targets came; the chain is about to be read. A peer whose target is Down needs no act."""
        now_s = self._clock.monotonic()
        for node, target in targets.items():
            self._ahead.pop(node, None)
            if target is Power.UP or node == self._own:
                self._ahead[node] = Ahead(target, now_s)

    def read(self, nodes: Collection[NodeId], powers: Powers) -> None:
        """These nodes were read: drop those whose target is that of their event, and those that have no power."""
        for node in self._ahead.keys() & nodes:
            power = powers.get(node)
            if not isinstance(power, NodePower) or power.target is self._ahead[node].target:
                del self._ahead[node]

    def looked(self, nodes: Collection[NodeId]) -> None:
        """Look at those of these nodes again later that are left, unless it was the last time."""
        for node in nodes:
            each = self._ahead.get(node)
            if each is None:
                continue
            if each.looks == len(LOOK_AGAIN_S):
                del self._ahead[node]
            else:
                each.due_s = self._clock.monotonic() + LOOK_AGAIN_S[each.looks]
                each.looks += 1
