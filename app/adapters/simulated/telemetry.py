"""Telemetry that keeps everything, for tests and simulations to look at."""

from __future__ import annotations

from typing import TypeVar

from app.domain.events import DomainEvent

Kind = TypeVar("Kind")


class SimulatedTelemetry:
    """`Telemetry` as a list, oldest first."""

    def __init__(self) -> None:
        self.recorded: list[DomainEvent] = []

    def record(self, event: DomainEvent) -> None:
        self.recorded.append(event)

    def of(self, kind: type[Kind]) -> list[Kind]:
        """All events of one kind."""
        return [event for event in self.recorded if isinstance(event, kind)]
