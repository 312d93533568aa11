"""Telemetry that keeps everything, for tests and simulations to look at."""

from __future__ import annotations

from typing import TypeVar

from app.domain.events import Happening

Kind = TypeVar("Kind")


class SimulatedTelemetry:
    """`Telemetry` as a list, oldest first."""

    def __init__(self) -> None:
        self.happenings: list[Happening] = []

    def happened(self, happening: Happening) -> None:
        self.happenings.append(happening)

    def of(self, kind: type[Kind]) -> list[Kind]:
        """All happenings of one kind."""
        return [happening for happening in self.happenings if isinstance(happening, kind)]
