"""The updates of one JSON-RPC subscription, for the coroutine that reads them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

KEEPALIVE_S = 15.0
"""A silent subscription is checked this often: a dead node would be silent too."""
BACKLOG = 1024
"""Updates kept for a late reader; the oldest are dropped, since each update is a newer fact."""


class Subscription:
    """``check`` raises when the connection has ended; ``probe`` asks the node for a sign of life."""

    def __init__(self, check: Callable[[], None], probe: Callable[[], Awaitable[object]]) -> None:
        self._check = check
        self._probe = probe
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
                async with asyncio.timeout(KEEPALIVE_S):
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
