"""A request to look again; requests that come while no task waits are merged into one."""

from __future__ import annotations

import asyncio

from app.ports.clock import Clock


class Trigger:
    """Wakes the one loop that waits for it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pulled = asyncio.Event()
        self._reason = ""

    def pull(self, reason: str) -> None:
        """Ask for another look; the first reason since the last look is kept."""
        if not self._pulled.is_set():
            self._reason = reason
            self._pulled.set()

    async def wait(self, seconds: float) -> str:
        """Wait for a pull, and return its reason; an empty text after ``seconds`` without one."""
        if not self._pulled.is_set():
            try:
                async with self._clock.timeout(seconds):
                    await self._pulled.wait()
            except TimeoutError:
                return ""
        self._pulled.clear()
        return self._reason
