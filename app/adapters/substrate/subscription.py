"""The updates of one JSON-RPC subscription, for the coroutine that reads them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

BACKLOG = 1024
"""Updates kept for a late reader; the oldest are dropped, since each update is a newer fact."""


class Subscription:
    """``end`` is the method that ends it.

    ``check`` raises when the connection has ended; ``probe`` asks the node for a sign of life whenever
    no update came for ``keepalive_s``, since a dead node would be silent too.
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
        """The node's name for it, once confirmed."""

    async def next(self) -> Any:
        """The next update; waits as long as the node is alive, else `EndpointFailed`."""
        while not self._updates:
            self._check()
            self._news.clear()
            try:
                async with asyncio.timeout(self._keepalive_s):
                    await self._news.wait()
            except TimeoutError:
                await self._probe()
        return self._updates.popleft()

    def put(self, update: Any) -> None:
        """An update came (told by the connection)."""
        self._updates.append(update)
        self._news.set()

    def wake(self) -> None:
        """The connection has ended (told by the connection)."""
        self._news.set()
