"""Counts failed attempts in a row, and computes the pause after them."""

from __future__ import annotations

from app.domain.backoff import Backoff, Jitter
from app.ports.clock import Clock

NEVER_S = float("-inf")


class Attempts:
    """The attempts at one task that is retried until it succeeds."""

    def __init__(self, clock: Clock, jitter: Jitter) -> None:
        self._clock = clock
        self._jitter = jitter
        self._failures = 0
        self._due_at_s = NEVER_S

    @property
    def due_in_s(self) -> float:
        """Seconds until the next attempt; 0 when it is due."""
        return max(0.0, self._due_at_s - self._clock.monotonic())

    def failed(self, backoff: Backoff) -> float:
        """Count a failure; returns the pause before the next attempt in seconds, with jitter."""
        self._failures += 1
        pause_s = backoff.delay_s(self._failures, self._jitter)
        self._due_at_s = self._clock.monotonic() + pause_s
        return pause_s

    def succeeded(self) -> None:
        """The next failure is the first, and the next attempt is due."""
        self._failures = 0
        self._due_at_s = NEVER_S
