"""A request to look again; requests that come while no task waits are merged into one."""

from __future__ import annotations

import asyncio

from app.ports.clock import Clock


class Trigger:
    """Wakes the one loop that waits for it.

    The loop waits thousands of times a day, and nearly always until the time is over. So a plain timer ends the wait:
    it costs less than to cancel a task.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pulled = False
        self._reason = ""
        self._waiter: asyncio.Future[None] | None = None

    def pull(self, reason: str) -> None:
        """Ask for another look; the first reason since the last look is kept."""
        if not self._pulled:
            self._pulled, self._reason = True, reason
            self._wake()

    async def wait(self, seconds: float | None) -> str:
        """Wait for a pull, and return its reason; an empty text after ``seconds`` (None: no limit) without one."""
        if not self._pulled:
            self._waiter = asyncio.Future()
            timer = None if seconds is None else self._clock.call_later(seconds, self._wake)
            try:
                await self._waiter
            finally:
                if timer is not None:
                    timer.cancel()
        if not self._pulled:
            return ""
        self._pulled = False
        return self._reason

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
