"""Paces work that fails: ever longer pauses, each reason logged once an outage, and in the end a fault (R15)."""

from __future__ import annotations

from app.domain.backoff import Backoff, Jitter
from app.domain.events import OperationFailed
from app.domain.services.context.persistent_trouble import PersistentTrouble
from app.ports.clock import Clock
from app.ports.telemetry import Telemetry

REASONS_MAX = 20
"""Of one outage: reasons that are never the same twice must not fill the log."""


class Retrying:
    """One kind of work. Only its success ends an outage; a step on the way to it proves nothing."""

    def __init__(
        self,
        doing: str,
        pace: Backoff,
        trouble: PersistentTrouble,
        clock: Clock,
        telemetry: Telemetry,
        jitter: Jitter,
    ) -> None:
        self._doing = doing
        self._pace = pace
        self._trouble = trouble
        self._clock = clock
        self._telemetry = telemetry
        self._jitter = jitter
        self._failures = 0
        self._told: set[str] = set()

    async def failed(self, reason: str) -> None:
        """One attempt failed: returns when it is time for the next."""
        self._failures += 1
        retry_in_s = self._pace.delay_s(self._failures, self._jitter)
        if reason not in self._told and len(self._told) < REASONS_MAX:
            self._told.add(reason)
            self._telemetry.record(OperationFailed(self._doing, reason, retry_in_s))
        self._trouble.failed(self._doing, reason)
        await self._clock.sleep(retry_in_s)

    def succeeded(self) -> None:
        """One attempt succeeded: the outage is over."""
        self._failures = 0
        self._told.clear()
        self._trouble.succeeded()
