"""Requests of operators and programs not to power this machine off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from app.domain.model import Hold


@runtime_checkable
class Holds(Protocol):
    """Reads the holds that are in force."""

    async def active(self) -> Sequence[Hold]:
        """All holds that have not expired. Raises `HoldsUnreadable` when that is not known."""
        ...

    def shown(self) -> Sequence[Hold]:
        """The holds for display, and for no decision: those that can be read at once, the others as last read."""
        ...
