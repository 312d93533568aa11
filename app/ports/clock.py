"""Time. The domain reads no other clock, so that time is virtual in tests and simulations."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Prevent the call; does nothing after it."""
        ...


@runtime_checkable
class Clock(Protocol):
    """Reads time and waits for it. All values are seconds."""

    def now(self) -> float:
        """Wall-clock time, Unix seconds; may jump."""
        ...

    def monotonic(self) -> float:
        """Time that never goes back, from an arbitrary start; the time in suspend counts."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait at least this long. Cancelling ends the wait."""
        ...

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Cancel the body and raise `TimeoutError` once ``seconds`` have passed."""
        ...

    def call_later(self, seconds: float, call: Callable[[], object]) -> Timer:
        """Call after this time, from the event loop."""
        ...
