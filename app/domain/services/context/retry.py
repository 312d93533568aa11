"""The one way of trying again (R15): ever longer pauses, every failure recorded, and in the end a fault."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.backoff import Backoff, Jitter
from app.domain.events import OperationFailed
from app.domain.faults import FaultKey
from app.domain.services.context.attempts import Attempts
from app.domain.services.context.fault_board import FaultBoard
from app.ports.clock import Clock
from app.ports.telemetry import Telemetry

REASONS_MAX = 20
"""Of one outage: reasons that are never the same twice must not fill the log."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is tried again, and how.

    Once failures have lasted for ``patience_s`` without a success between them, they are the ``fault``, whose text
    ends with ``remedy``. With ``once`` the same reason is recorded once an outage, else each time.
    """

    doing: str
    fault: FaultKey
    remedy: str
    backoff: Backoff = Backoff(1.0, 60.0)
    patience_s: float = 60.0
    once: bool = False


class Retry:
    """One kind of work. Only its success ends an outage; a step on the way to it proves nothing."""

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
        """Whether the pause after the last failure is over."""
        return not self._attempts.due_in_s

    def failed(self, reason: str) -> float:
        """One attempt failed: the pause before the next, in seconds."""
        pause_s = self._attempts.failed(self._work.backoff)
        if not self._work.once:
            self._record(reason, pause_s)
        elif reason not in self._recorded and len(self._recorded) < REASONS_MAX:
            self._recorded.add(reason)
            self._record(reason, pause_s)
        self.goes_on(reason)
        return pause_s

    async def pause(self, reason: str) -> None:
        """One attempt failed: returns when it is time for the next."""
        await self._clock.sleep(self.failed(reason))

    def goes_on(self, reason: str) -> None:
        """The outage goes on, as a look showed that was no attempt. A fault, once that has lasted."""
        now_s = self._clock.monotonic()
        if self._failing_since_s is None:
            self._failing_since_s = now_s
        work = self._work
        if now_s - self._failing_since_s >= work.patience_s:
            text = f"{work.doing} has failed for {_span(work.patience_s)} and more: {reason}; {work.remedy}"
            self._faults.report(work.fault, text)

    def succeeded(self) -> None:
        """One attempt succeeded: the outage is over."""
        self._attempts.succeeded()
        self._failing_since_s = None
        self._recorded.clear()
        self._faults.clear(self._work.fault)

    def _record(self, reason: str, pause_s: float) -> None:
        self._telemetry.record(OperationFailed(self._work.doing, reason, pause_s))


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
