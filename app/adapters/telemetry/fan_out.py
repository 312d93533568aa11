"""Several listeners behind the one hook."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from app.domain.events import DomainEvent
from app.ports.telemetry import Telemetry

log = logging.getLogger(__name__)


class FanOut:
    """`Telemetry` that tells each of ``listeners``, in order."""

    def __init__(self, listeners: Sequence[Telemetry]) -> None:
        self._listeners = tuple(listeners)

    def record(self, event: DomainEvent) -> None:
        """Tell all; one that fails must end neither the others nor the service that tells."""
        for listener in self._listeners:
            try:
                listener.record(event)
            except Exception:
                log.exception("telling %s of a %s failed", type(listener).__name__, type(event).__name__)
