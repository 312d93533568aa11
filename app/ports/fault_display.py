"""The place where operators look for what is wrong (a log, Zero-OS's ``zui``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from app.domain.model import Fault


@runtime_checkable
class FaultDisplay(Protocol):
    """Shows faults."""

    async def show(self, faults: Sequence[Fault]) -> None:
        """Show these faults, and no others. An empty sequence clears the display. Raises `FaultsNotShown`."""
        ...
