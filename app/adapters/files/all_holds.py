"""Holds of several sources together: the operator's files, and logind's inhibitors."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.model import Hold
from app.ports.holds import Holds


class AllHolds:
    """`Holds` of all ``sources``, in their order. If one cannot be read, `active` raises `HoldsUnreadable`."""

    def __init__(self, sources: Sequence[Holds]) -> None:
        self._sources = tuple(sources)

    async def active(self) -> Sequence[Hold]:
        return [hold for source in self._sources for hold in await source.active()]
