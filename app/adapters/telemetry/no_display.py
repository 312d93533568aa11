"""No display for faults: the log has each of them already, by telemetry."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.model import Fault


class NoDisplay:
    """`FaultDisplay` that shows nothing; a second line for each in the log would be a second alarm."""

    async def show(self, faults: Sequence[Fault]) -> None:
        """Nothing to do."""
