"""The last few events, kept for `powerd status`."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from app.adapters.telemetry.sentences import line_of
from app.domain.events import DomainEvent, Reconciled
from app.domain.figures import without_figures
from app.domain.measurements import Measurement
from app.domain.status import EventStatus
from app.ports.clock import Clock

KEPT_MAX = 20

ROUTINE = frozenset({Reconciled})
"""Events that are left out: one comes every few minutes without any change."""


class KeptEvents:
    """`Telemetry` and `RecentEvents`. Repetitions that differ only in their figures are one entry."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: deque[EventStatus] = deque(maxlen=KEPT_MAX)
        self._last = ""

    def record(self, event: DomainEvent) -> None:
        if type(event) in ROUTINE:
            return
        line = line_of(event)
        facts = {name: _text(fact) for name, fact in line.fields.items()}
        new = EventStatus(self._clock.now(), line.event, line.sentence, facts)
        before, self._last = self._last, _same(new)
        if self._kept and before == self._last:
            new = replace(new, times=self._kept.pop().times + 1)
        self._kept.append(new)

    def measure(self, measurement: Measurement) -> None:
        """Do nothing: only events are kept."""

    def latest(self) -> tuple[EventStatus, ...]:
        return tuple(self._kept)


def _same(event: EventStatus) -> str:
    return without_figures(f"{event.kind} {sorted(event.facts.items())}")


def _text(fact: object) -> str:
    return ", ".join(map(str, fact)) if isinstance(fact, list) else "none" if fact is None else str(fact)
