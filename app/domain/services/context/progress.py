"""Detects loops that hang: each loop announces when it will give its next sign of life.

A long wait that was announced is not a hang. A step that was not announced as a wait can take up to `PATIENCE_S`,
which is more than the deadlines of one step add up to.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.ports.clock import Clock

PATIENCE_S = 900.0

ITSELF = "itself"
"""The loop that looks at this node's own power, and carries out its shutdown."""
FARM = "the farm"
UPTIME = "the uptime"
STREAM = "the event stream"
EVENTS = "the waiting events"

OF_A_DAEMON = (ITSELF, FARM, UPTIME, STREAM, EVENTS)
"""The loops that the daemon can't run without, by what they look at."""


class Progress:
    """Signs of life, by loop. A loop that never gave one is not watched."""

    def __init__(self, clock: Clock, *, patience_s: float = PATIENCE_S) -> None:
        self._clock = clock
        self._patience_s = patience_s
        self._due_s: dict[str, float] = {}
        self._next_s: dict[str, float] = {}

    def made(self, loop: str, *, waits_s: float = 0.0) -> None:
        """Give a sign of life: the loop begins a step now, or after a wait of ``waits_s``."""
        self._next_s[loop] = self._clock.monotonic() + waits_s
        self._due_s[loop] = self._next_s[loop] + self._patience_s

    def next_s(self, loop: str) -> float | None:
        """When the loop's wait ends, or when its step began (monotonic seconds); None before its first sign of life."""
        return self._next_s.get(loop)

    def idle(self, loop: str) -> None:
        """The loop waits for work, without a limit of time."""
        self._due_s[loop] = float("inf")

    def process_stopped(self, seconds: float) -> None:
        """Count this time for no loop: the whole process stood still (a debugger, a freezer)."""
        for loop in self._due_s:
            self._due_s[loop] += seconds

    @property
    def silent_s(self) -> Mapping[str, float]:
        """Seconds since each loop's announced wait ended without a sign of life; 0 while it waits."""
        began_s = self._clock.monotonic() + self._patience_s
        return {loop: max(0.0, began_s - due_s) for loop, due_s in self._due_s.items()}

    @property
    def silence_s_max(self) -> float:
        """A loop that is silent for longer hangs: half of `PATIENCE_S`, so that a monitor sees it before a restart."""
        return self._patience_s / 2

    @property
    def stuck(self) -> str:
        """Names the loop that gave no sign of life for too long, and for how long; empty while every loop works."""
        now_s = self._clock.monotonic()
        for loop, due_s in self._due_s.items():
            if now_s > due_s:
                late_s = now_s - due_s + self._patience_s
                return f"the loop that looks at {loop} has made no progress for {late_s:.0f} s"
        return ""
