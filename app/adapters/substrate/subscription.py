"""The updates of a JSON-RPC subscription, for the coroutine that reads them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from app.adapters.libraries.timeouts import timeout

BACKLOG = 1024
"""How many updates are kept for a slow reader. The oldest are dropped, since each update is newer."""


class Subscription:
    """One subscription; ``end`` is the method that ends it.

    ``check`` raises when the connection has ended. ``probe`` sends a request to the node when no update came
    for ``keepalive_s``, since a dead node would be silent too.
    """

    def __init__(
        self, end: str, check: Callable[[], None], probe: Callable[[], Awaitable[object]], keepalive_s: float
    ) -> None:
        self.end = end
        self._check = check
        self._probe = probe
        self._keepalive_s = keepalive_s
        self._updates: deque[Any] = deque(maxlen=BACKLOG)
        self._news = asyncio.Event()
        self.id: Any = None
        """The node's id for it, when it is confirmed."""

    async def next(self) -> Any:
        """Wait for the next update. Raises `EndpointFailed` when the node does not answer any more."""
        while not self._updates:
            self._check()
            self._news.clear()
            try:
                async with timeout(self._keepalive_s):
                    await self._news.wait()
            except TimeoutError:
                await self._probe()
        return self._updates.popleft()

    def put(self, update: Any) -> None:
        """Called by the connection for each update."""
        self._updates.append(update)
        self._news.set()

    def wake(self) -> None:
        """Called by the connection when it has ended."""
        self._news.set()
