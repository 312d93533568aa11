"""The network card through which this machine itself is woken."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.model import Nic


@runtime_checkable
class NicPort(Protocol):
    """Finds the card and keeps it armed. Every method raises `NicUnusable`, saying why."""

    async def find(self) -> Nic:
        """The one physical card of this node that supports waking by magic packet."""
        ...

    async def arm(self, nic: Nic) -> None:
        """Switch on Wake-on-LAN by magic packet; other wake modes that are on stay on."""
        ...

    async def armed(self, nic: Nic) -> bool:
        """Read back whether waking by magic packet is switched on."""
        ...
