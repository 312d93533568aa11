"""No display of faults, since telemetry writes each of them to the log."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.model import Fault


class NoDisplay:
    """`FaultDisplay` that shows nothing, since a second line in the log would look like a second fault."""

    async def show(self, faults: Sequence[Fault]) -> None:
        """Do nothing."""
