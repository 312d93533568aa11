"""Deliveries that were read and not yet handled, by entry: an entry that is delivered twice is kept once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from app.domain.events import Delivery

ENTRIES_MAX = 4096


class EventInbox:
    """Connects the loop that reads the stream with the loop that handles events."""

    def __init__(self, entries_max: int = ENTRIES_MAX) -> None:
        self._entries_max = entries_max
        self._waiting: dict[str, Delivery] = {}
        self._filled = asyncio.Event()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, batch: Sequence[Delivery]) -> None:
        """Add deliveries; waits while the inbox is full (they stay pending in the stream)."""
        await self._room.wait()
        if any(delivery.id not in self._waiting for delivery in batch):
            self._news.set()
        self._waiting.update((delivery.id, delivery) for delivery in batch)
        if self._waiting:
            self._filled.set()
        if len(self._waiting) >= self._entries_max:
            self._room.clear()

    async def waiting(self) -> Sequence[Delivery]:
        """All deliveries in the inbox, as soon as there is one; they stay until `done`."""
        await self._filled.wait()
        self._news.clear()
        return tuple(self._waiting.values())

    async def news(self) -> None:
        """Wait for a delivery that `waiting` has not returned yet."""
        await self._news.wait()

    def done(self, batch: Sequence[Delivery]) -> None:
        """Remove deliveries that were handled."""
        for delivery in batch:
            self._waiting.pop(delivery.id, None)
        if not self._waiting:
            self._filled.clear()
        if len(self._waiting) < self._entries_max:
            self._room.set()
