"""The network card through which this machine itself is woken."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.model import Nic


@runtime_checkable
class NicPort(Protocol):
    """Finds the card and keeps it armed. Most methods raise `NicUnusable`, saying why."""

    async def find(self) -> Nic:
        """The one physical card of this node that supports waking by magic packet; or the cards of its one bond."""
        ...

    async def arm(self, nic: Nic) -> None:
        """Switch on Wake-on-LAN by magic packet, in every place that the machine has for it.

        Other wake modes that are on stay on, unless the operator wants magic packet alone.
        """
        ...

    async def armed(self, nic: Nic) -> bool:
        """Read back whether waking by magic packet is switched on, everywhere."""
        ...

    async def leaving(self, nic: Nic) -> None:
        """Powerd is about to order the power-off: what runs after powerd may arm the card once more.

        It is a second net: what fails is logged, and never raised.
        """
        ...

    async def staying(self) -> None:
        """No power-off is ordered (any more): a power-off that others order now is not powerd's. Never raises."""
        ...
