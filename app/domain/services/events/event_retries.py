"""Selects the events that are due: new ones at once, failed ones when their own pause has ended."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.backoff import Backoff
from app.domain.events import Delivery
from app.domain.services.context.attempts import Attempts
from app.domain.services.context.node_context import NodeContext

RETRY = Backoff(1.0, 30.0)


class EventRetries:
    """A failed delivery delays no other. A new delivery of a node makes the failed ones of that node due as well.

    ``nodes_max`` limits the nodes whose deliveries are due at a time; the own node comes first.
    """

    def __init__(self, context: NodeContext, *, nodes_max: int | None) -> None:
        self._context = context
        self._nodes_max = nodes_max
        self._failed: dict[str, Attempts] = {}

    def due(self, waiting: Sequence[Delivery]) -> list[Delivery]:
        """Deliveries of ``waiting`` to handle now. Failures of deliveries that are not in ``waiting`` are forgotten."""
        if self._failed:
            ids = {delivery.id for delivery in waiting}
            self._failed = {name: failed for name, failed in self._failed.items() if name in ids}
        ready = [each for each in waiting if each.id not in self._failed or not self._failed[each.id].due_in_s]
        nodes = dict.fromkeys(node for each in ready if (node := each.content.node) is not None)
        own = self._context.node.node
        chosen = set(sorted(nodes, key=lambda node: node != own)[: self._nodes_max])
        broken = [each for each in ready if each.content.node is None]
        return broken + [each for each in waiting if each.content.node in chosen]

    def until_next_s(self) -> float:
        """Seconds until the first failed delivery is due."""
        return min(failed.due_in_s for failed in self._failed.values())

    def failed(self, deliveries: Sequence[Delivery]) -> float:
        """Postpone these deliveries (one or more); returns the seconds until the last of them is due."""
        context = self._context
        for delivery in deliveries:
            self._failed.setdefault(delivery.id, Attempts(context.clock, context.jitter))
        return max(self._failed[delivery.id].failed(RETRY) for delivery in deliveries)
