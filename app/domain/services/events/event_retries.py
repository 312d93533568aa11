"""Which events are due now: new ones at once, those that failed when their own backoff is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.backoff import Backoff, Jitter
from app.domain.events import Delivery, Malformed
from app.domain.model import NodeId
from app.ports.clock import Clock

RETRY = Backoff(1.0, 30.0)


@dataclass(frozen=True, slots=True)
class _Failed:
    times: int
    due_at_s: float


class EventRetries:
    """One delivery's failures put off no other; but a new one of the same node takes the others of it along.

    ``nodes_max`` bounds for how many nodes deliveries are due at a time; the node ``own`` goes first.
    """

    def __init__(self, own: NodeId, clock: Clock, jitter: Jitter, *, nodes_max: int | None) -> None:
        self._own = own
        self._clock = clock
        self._jitter = jitter
        self._nodes_max = nodes_max
        self._failed: dict[str, _Failed] = {}

    def due(self, waiting: Sequence[Delivery]) -> list[Delivery]:
        """Those of ``waiting`` that are to be handled now; what does not wait any more is forgotten."""
        ids = {delivery.id for delivery in waiting}
        self._failed = {name: failed for name, failed in self._failed.items() if name in ids}
        now = self._clock.monotonic()
        ready = [each for each in waiting if each.id not in self._failed or self._failed[each.id].due_at_s <= now]
        nodes = dict.fromkeys(node for node in map(node_of, ready) if node is not None)
        chosen = set(sorted(nodes, key=lambda node: node != self._own)[: self._nodes_max])
        return [each for each in ready if node_of(each) is None] + [each for each in waiting if node_of(each) in chosen]

    def until_next_s(self) -> float:
        """Seconds until the first of those that failed is due."""
        now = self._clock.monotonic()
        return max(0.0, min(failed.due_at_s for failed in self._failed.values()) - now)

    def failed(self, deliveries: Sequence[Delivery]) -> float:
        """Put these off; seconds until the last of them is due."""
        delays_s = []
        for delivery in deliveries:
            before = self._failed.get(delivery.id)
            times = 1 if before is None else before.times + 1
            delays_s.append(RETRY.delay_s(times, self._jitter))
            self._failed[delivery.id] = _Failed(times, self._clock.monotonic() + delays_s[-1])
        return max(delays_s, default=0.0)


def node_of(delivery: Delivery) -> NodeId | None:
    """The node that the event names; None for what is no event."""
    return None if isinstance(delivery.content, Malformed) else delivery.content.node
