"""Time. The domain has no other: in tests and simulations it is virtual."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """Reads time and waits for it. All values are seconds."""

    def now(self) -> float:
        """Wall-clock time, Unix seconds; may jump."""
        ...

    def monotonic(self) -> float:
        """A time that only goes forward, from an arbitrary start."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Cancel the body and raise `TimeoutError` once ``seconds`` have passed."""
        ...
