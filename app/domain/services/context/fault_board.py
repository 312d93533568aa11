"""Keeps the list of current faults, and shows them to the operator without delaying the code that reports them."""

from __future__ import annotations

from app.domain.backoff import Backoff, Jitter
from app.domain.errors import RetryableError
from app.domain.events import FaultCleared, FaultRaised, OperationFailed
from app.domain.faults import FaultKey, FaultKind
from app.domain.figures import differ
from app.domain.model import Fault
from app.domain.services.context.attempts import Attempts
from app.domain.services.context.trigger import Trigger
from app.domain.status import FaultStatus
from app.ports.clock import Clock
from app.ports.fault_display import FaultDisplay
from app.ports.telemetry import Telemetry

RETRY = Backoff(1.0, 60.0)
SHOWN_AGAIN_S = 300.0
"""All faults are shown again this often: a display that was restarted has lost them."""
NONE_AGAIN_S = 3600.0
"""The same while there is none: a display that took an earlier call late may still show a fault that is over."""


class FaultBoard:
    """Reports and clears faults at once. One task shows them, and retries."""

    def __init__(self, display: FaultDisplay, clock: Clock, telemetry: Telemetry, jitter: Jitter) -> None:
        self._display = display
        self._clock = clock
        self._telemetry = telemetry
        self._showing = Attempts(clock, jitter)
        self._faults: dict[FaultKey, Fault] = {}
        self._changed = Trigger(clock)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All current faults, oldest first."""
        return tuple(self._faults.values())

    def status(self) -> tuple[FaultStatus, ...]:
        """All current faults for display: since when (by the wall clock as it is set now), and the remedy."""
        began_at_s = self._clock.now() - self._clock.monotonic()
        return tuple(_status(fault, began_at_s + fault.began_s) for fault in self._faults.values())

    def report(self, key: FaultKey, message: str) -> None:
        """Report a fault. The same text again changes nothing; other figures change the display only."""
        before = self._faults.get(key)
        began_s = self._clock.monotonic() if before is None else before.began_s
        self._faults[key] = Fault(key, message, began_s)
        if before is None or differ(before.message, message):
            self._telemetry.record(FaultRaised(key, message))
            self._changed.pull(key)

    def clear(self, key: FaultKey) -> None:
        if self._faults.pop(key, None):
            self._telemetry.record(FaultCleared(key))
            self._changed.pull(key)

    async def run(self) -> None:
        """Show every change; runs until cancelled."""
        self._changed.pull("start")  # An earlier run may have left faults on the display.
        wait_s = SHOWN_AGAIN_S
        while True:
            await self._changed.wait(wait_s)
            try:
                await self._display.show(self.faults)
            except RetryableError as error:
                wait_s = self._showing.failed(RETRY)
                self._telemetry.record(OperationFailed("showing faults", str(error), wait_s))
            else:
                self._showing.succeeded()
                wait_s = SHOWN_AGAIN_S if self._faults else NONE_AGAIN_S


def _status(fault: Fault, since_s: float) -> FaultStatus:
    kind = FaultKind.of(fault.key)
    urgency, remedy = ("", "") if kind is None else (kind.urgency.value, kind.remedy)
    return FaultStatus(fault.key, fault.message, since_s, urgency, remedy)
