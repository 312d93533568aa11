"""Holds of several sources as one: the operator's files, and what the host's init system knows."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.model import Hold
from app.ports.holds import Holds


class AllHolds:
    """`Holds` that joins ``sources``, in their order; one that can't be read makes the whole unreadable."""

    def __init__(self, sources: Sequence[Holds]) -> None:
        self._sources = tuple(sources)

    async def active(self) -> Sequence[Hold]:
        """The holds of all sources."""
        return [hold for source in self._sources for hold in await source.active()]
