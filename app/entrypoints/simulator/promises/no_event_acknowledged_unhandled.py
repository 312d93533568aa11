"""No event is acknowledged before the chain was asked about its node."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.domain.events import Delivery, Malformed
from app.domain.model import NodeId
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.world.machine import Machine
from app.entrypoints.simulator.world.world import World


class NoEventAcknowledgedUnhandled(Promise):
    """Remembers for each pending entry whether the chain was read after it came."""

    text = "no event acknowledged before the chain was read after it"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._handled: set[tuple[NodeId, str]] = set()

    def powers_read(self, machine: Machine, nodes: Collection[NodeId]) -> None:
        """Find the waiting entries that this read answers."""
        pending = machine.bus.stream.pending
        if pending:
            answered = frozenset(nodes)
            for delivery in pending.values():
                if not isinstance(delivery.content, Malformed) and delivery.content.node in answered:
                    self._handled.add((machine.identity.node, delivery.id))

    def acknowledged(self, machine: Machine, deliveries: Sequence[Delivery]) -> None:
        """Check that the chain was read for each of them."""
        for delivery in deliveries:
            change, entry = delivery.content, (machine.identity.node, delivery.id)
            ours = not isinstance(change, Malformed) and change.farm == machine.identity.farm
            # When the server loses an entry that a daemon is handling, the acknowledgement has no effect.
            if ours and entry not in self._handled and delivery.id in machine.bus.stream.pending:
                self.broken(machine, f"acknowledged {delivery.content} without reading the chain after it")
            self._handled.discard(entry)
