"""The one retry of all services (R15): pauses grow, failures are recorded, and lasting failure becomes a fault."""

from __future__ import annotations

from app.domain.backoff import Backoff, Jitter
from app.domain.events import OperationFailed
from app.domain.faults import FaultKey
from app.domain.services.context.attempts import Attempts
from app.domain.services.context.fault_board import FaultBoard
from app.domain.values import value
from app.ports.clock import Clock
from app.ports.telemetry import Telemetry

REASONS_MAX = 20
"""Reasons recorded for one outage: reasons that differ each time must not fill the log."""


@value
class Work:
    """A task that is retried, and how.

    Failures that last for ``patience_s`` without a success become the ``fault``, whose text ends with ``remedy``.
    With ``once`` the same reason is recorded once per outage, else at each failure.
    """

    doing: str
    fault: FaultKey
    remedy: str
    backoff: Backoff = Backoff(1.0, 60.0)
    patience_s: float = 60.0
    once: bool = False


class Retry:
    """Retries one kind of work. Only the success of the work ends an outage; success of one of its steps does not."""

    def __init__(self, work: Work, clock: Clock, telemetry: Telemetry, jitter: Jitter, faults: FaultBoard) -> None:
        self._work = work
        self._clock = clock
        self._telemetry = telemetry
        self._faults = faults
        self._attempts = Attempts(clock, jitter)
        self._failing_since_s: float | None = None
        self._recorded: set[str] = set()

    @property
    def due(self) -> bool:
        return not self._attempts.due_in_s

    def failed(self, reason: str) -> float:
        """Record a failed attempt; returns the pause before the next in seconds."""
        pause_s = self._attempts.failed(self._work.backoff)
        if not self._work.once:
            self._record(reason, pause_s)
        elif reason not in self._recorded and len(self._recorded) < REASONS_MAX:
            self._recorded.add(reason)
            self._record(reason, pause_s)
        self.still_failing(reason)
        return pause_s

    async def pause(self, reason: str) -> None:
        """Record a failed attempt; returns when the next is due."""
        await self._clock.sleep(self.failed(reason))

    def still_failing(self, reason: str) -> None:
        """Record that the outage goes on, without an attempt; it becomes a fault after ``patience_s``."""
        now_s = self._clock.monotonic()
        if self._failing_since_s is None:
            self._failing_since_s = now_s
        work = self._work
        if now_s - self._failing_since_s >= work.patience_s:
            text = f"{work.doing} has failed for {_span(work.patience_s)} and more: {reason}; {work.remedy}"
            self._faults.report(work.fault, text)

    def succeeded(self) -> None:
        self._attempts.succeeded()
        self._failing_since_s = None
        self._recorded.clear()
        self._faults.clear(self._work.fault)

    def _record(self, reason: str, pause_s: float) -> None:
        self._telemetry.record(OperationFailed(self._work.doing, reason, pause_s))


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
