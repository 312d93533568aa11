"""Passes each event to several listeners."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from app.domain.events import DomainEvent
from app.domain.measurements import Measurement
from app.ports.telemetry import Telemetry

log = logging.getLogger(__name__)

What = TypeVar("What", DomainEvent, Measurement)


class FanOut:
    """`Telemetry` that calls each of ``listeners``, in order."""

    def __init__(self, listeners: Sequence[Telemetry]) -> None:
        self._listeners = tuple(listeners)

    def record(self, event: DomainEvent) -> None:
        self._all(event, [listener.record for listener in self._listeners])

    def measure(self, measurement: Measurement) -> None:
        self._all(measurement, [listener.measure for listener in self._listeners])

    def _all(self, what: What, takers: Iterable[Callable[[What], None]]) -> None:
        """Call every listener. One that fails must stop neither the others nor the calling service."""
        for listener, take in zip(self._listeners, takers, strict=True):
            try:
                take(what)
            except Exception:
                log.exception("%s failed to take a %s", type(listener).__name__, type(what).__name__)
