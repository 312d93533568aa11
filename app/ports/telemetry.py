"""The one hook through which logs and metrics see what happens."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.events import DomainEvent
from app.domain.measurements import Measurement
from app.domain.status import EventStatus


@runtime_checkable
class Telemetry(Protocol):
    """Called after the effect. It must not raise and must not wait."""

    def record(self, event: DomainEvent) -> None:
        """Record what happened, as a line of the log."""
        ...

    def measure(self, measurement: Measurement) -> None:
        """Count or time something, without a line of the log."""
        ...


@runtime_checkable
class RecentEvents(Protocol):
    """In memory only: a daemon that was restarted knows none."""

    def latest(self) -> tuple[EventStatus, ...]:
        """The last few, oldest first."""
        ...
