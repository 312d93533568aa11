"""Deliveries that were read and not yet handled: new ones are due at once, failed ones after a pause of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from app.domain.backoff import Backoff
from app.domain.events import Delivery
from app.domain.services.context.attempts import Attempts
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.trigger import Trigger

ENTRIES_MAX = 4096
IDLE_S = 3600.0
RETRY = Backoff(1.0, 30.0)


class EventInbox:
    """Connects the loop that reads the stream with the loop that handles events.

    An entry that is delivered twice is kept once. A failed delivery delays no other; a new delivery of a node makes
    the failed ones of that node due as well. ``nodes_max`` limits the nodes whose deliveries are due at a time.
    """

    def __init__(self, context: NodeContext, *, nodes_max: int | None = None, entries_max: int = ENTRIES_MAX) -> None:
        self._own = context.node.node
        self._clock = context.clock
        self._jitter = context.jitter
        self._nodes_max = nodes_max
        self._entries_max = entries_max
        self._waiting: dict[str, Delivery] = {}
        self._failed: dict[str, Attempts] = {}
        self._news = Trigger(context.clock)
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, batch: Sequence[Delivery]) -> None:
        """Add deliveries; waits while the inbox is full (they stay pending in the stream)."""
        await self._room.wait()
        if any(delivery.id not in self._waiting for delivery in batch):
            self._news.pull("a new delivery")
        self._waiting.update((delivery.id, delivery) for delivery in batch)
        if len(self._waiting) >= self._entries_max:
            self._room.clear()

    async def due(self) -> Sequence[Delivery]:
        """The deliveries to handle now, as soon as there is one; they stay until `done`."""
        while not (due := self._due_now()):
            await self._news.wait(min((failed.due_in_s for failed in self._failed.values()), default=IDLE_S))
        return due

    def _due_now(self) -> Sequence[Delivery]:
        waiting = self._waiting.values()
        ready = [each for each in waiting if each.id not in self._failed or not self._failed[each.id].due_in_s]
        nodes = dict.fromkeys(node for each in ready if (node := each.content.node) is not None)
        chosen = set(sorted(nodes, key=lambda node: node != self._own)[: self._nodes_max])  # the own node comes first
        broken = [each for each in ready if each.content.node is None]
        return broken + [each for each in waiting if each.content.node in chosen]

    def postpone(self, deliveries: Sequence[Delivery]) -> float:
        """Make these deliveries (one or more), which failed, due later; returns the longest of their pauses."""
        for delivery in deliveries:
            self._failed.setdefault(delivery.id, Attempts(self._clock, self._jitter))
        return max(self._failed[delivery.id].failed(RETRY) for delivery in deliveries)

    def done(self, batch: Sequence[Delivery]) -> None:
        """Remove deliveries that were handled."""
        for delivery in batch:
            self._waiting.pop(delivery.id, None)
            self._failed.pop(delivery.id, None)
        if len(self._waiting) < self._entries_max:
            self._room.set()
