"""The clock of the operating system."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from app.adapters.libraries.timeouts import timeout
from app.ports.clock import Timer

NAP_S = 30.0
"""asyncio's timers stand still while the machine is suspended. So a longer wait looks at the clock this often."""


class SystemClock:
    """`Clock` by the kernel. What was due while the machine was suspended is due within `NAP_S` after it."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds of CLOCK_BOOTTIME, which includes the time in suspend: what was read before that is old."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    async def sleep(self, seconds: float) -> None:
        end_s = self.monotonic() + seconds
        while seconds > NAP_S:
            await asyncio.sleep(NAP_S)
            seconds = end_s - self.monotonic()
        await asyncio.sleep(max(0.0, seconds))

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Cancel the body and raise `TimeoutError` once ``seconds`` have passed, without the time in suspend."""
        return timeout(seconds)

    def call_later(self, seconds: float, call: Callable[[], object]) -> Timer:
        if seconds > NAP_S:
            return _LongTimer(self.monotonic, seconds, call)
        return asyncio.get_running_loop().call_later(seconds, call)


class _LongTimer:
    """A timer that looks at the clock now and then."""

    def __init__(self, monotonic: Callable[[], float], seconds: float, call: Callable[[], object]) -> None:
        self._monotonic = monotonic
        self._due_s = monotonic() + seconds
        self._call = call
        self._wait(seconds)

    def cancel(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        self._wait(max(0.0, self._due_s - self._monotonic()))

    def _wait(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(NAP_S, self._look) if seconds > NAP_S else loop.call_later(seconds, self._call)
