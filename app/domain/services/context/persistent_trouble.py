"""Turns what goes on failing into a fault that the operator sees (R15).

A single failure is a `OperationFailed`, which the log shows. Failures that last longer than ``patience_s``
without one success between them are a fault, which stays until the next success.
"""

from __future__ import annotations

from app.domain.faults import FaultKey
from app.domain.services.context.fault_board import FaultBoard
from app.ports.clock import Clock


class PersistentTrouble:
    """One kind of work that is retried, such as reading events or setting the state."""

    def __init__(self, key: FaultKey, remedy: str, faults: FaultBoard, clock: Clock, *, patience_s: float) -> None:
        self._key = key
        self._remedy = remedy
        self._faults = faults
        self._clock = clock
        self._patience_s = patience_s
        self._since_s: float | None = None

    def failed(self, doing: str, reason: str) -> None:
        """One attempt failed. ``doing`` must stay the same from attempt to attempt; the last reason is shown."""
        now_s = self._clock.monotonic()
        if self._since_s is None:
            self._since_s = now_s
        if now_s - self._since_s >= self._patience_s:
            self._faults.report(
                self._key, f"{doing} has failed for {_span(self._patience_s)} and more: {reason}; {self._remedy}"
            )

    def succeeded(self) -> None:
        """One attempt succeeded: the trouble is over."""
        self._since_s = None
        self._faults.clear(self._key)


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
