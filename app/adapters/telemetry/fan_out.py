"""Several listeners behind the one hook."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Happening
from app.ports.telemetry import Telemetry


class FanOut:
    """`Telemetry` that tells each of ``listeners``, in order."""

    def __init__(self, listeners: Sequence[Telemetry]) -> None:
        self._listeners = tuple(listeners)

    def happened(self, happening: Happening) -> None:
        """Tell all."""
        for listener in self._listeners:
            listener.happened(happening)
