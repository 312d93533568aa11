"""Deliveries that were read and not yet handled: new ones are due at once, failed ones after a pause."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence

from app.domain.backoff import Backoff
from app.domain.events import Delivery
from app.domain.services.context.attempts import Attempts
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.trigger import Trigger

ENTRIES_MAX = 4096
RETRY = Backoff(1.0, 30.0)
ALL_NODES = "all nodes"


class EventInbox:
    """Connects the loop that reads the stream with the loop that handles events.

    An entry that is delivered twice is kept once. A failed delivery delays no new one. What one request of the chain
    answers is retried together: all nodes, or each by itself where ``nodes_max`` limits the nodes that are due at a
    time. So in an outage the number of requests does not grow with the events, and a new delivery makes the failed
    ones due as well.
    """

    def __init__(self, context: NodeContext, *, nodes_max: int | None = None, entries_max: int = ENTRIES_MAX) -> None:
        self._own = context.node.node
        self._clock = context.clock
        self._jitter = context.jitter
        self._nodes_max = nodes_max
        self._entries_max = entries_max
        self._waiting: dict[str, Delivery] = {}
        self._failed: set[str] = set()
        self._retries: dict[Hashable, Attempts] = {}
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

    async def due(self, within_s: float | None = None) -> Sequence[Delivery]:
        """The deliveries to handle now, as soon as there is one; they stay until `done`. None after ``within_s``."""
        end_s = float("inf") if within_s is None else self._clock.monotonic() + within_s
        while not (due := self._due_now()) and (left_s := end_s - self._clock.monotonic()) > 0:
            retry_s = min((retry.due_in_s for retry in self._retries.values()), default=left_s)
            wait_s = min(retry_s, left_s)
            await self._news.wait(None if wait_s == float("inf") else wait_s)
        return due

    def _due_now(self) -> Sequence[Delivery]:
        waiting = self._waiting.values()
        pausing = {key for key, retry in self._retries.items() if retry.due_in_s}
        ready = [each for each in waiting if each.id not in self._failed or self._retry_key(each) not in pausing]
        keys = dict.fromkeys(self._retry_key(each) for each in ready if each.content.node is not None)
        chosen = set(sorted(keys, key=lambda key: key != self._own)[: self._nodes_max])  # the own node comes first
        broken = [each for each in ready if each.content.node is None]
        return broken + [each for each in waiting if self._retry_key(each) in chosen]

    def _retry_key(self, delivery: Delivery) -> Hashable:
        """What is retried together has the same; an entry that names no node is alone."""
        node = delivery.content.node
        if node is None:
            return delivery.id
        return ALL_NODES if self._nodes_max is None else node

    def postpone(self, deliveries: Sequence[Delivery]) -> float:
        """Make these deliveries (one or more), which failed, due later; returns the longest of their pauses."""
        self._failed.update(delivery.id for delivery in deliveries)
        keys = dict.fromkeys(map(self._retry_key, deliveries))
        for key in keys:
            self._retries.setdefault(key, Attempts(self._clock, self._jitter))
        return max(self._retries[key].failed(RETRY) for key in keys)

    def done(self, batch: Sequence[Delivery]) -> None:
        for delivery in batch:
            self._waiting.pop(delivery.id, None)
            self._failed.discard(delivery.id)
            self._retries.pop(self._retry_key(delivery), None)
        if len(self._waiting) < self._entries_max:
            self._room.set()
