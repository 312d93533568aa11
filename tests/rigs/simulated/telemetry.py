"""Telemetry that keeps every event, for tests and simulations."""

from __future__ import annotations

from typing import TypeVar

from app.domain.events import DomainEvent
from app.domain.measurements import Measurement

Kind = TypeVar("Kind")


class SimulatedTelemetry:
    """`Telemetry` as a list, oldest first."""

    def __init__(self) -> None:
        self.recorded: list[DomainEvent] = []
        self.measured: list[Measurement] = []

    def record(self, event: DomainEvent) -> None:
        self.recorded.append(event)

    def measure(self, measurement: Measurement) -> None:
        self.measured.append(measurement)

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.recorded if isinstance(event, kind)]
