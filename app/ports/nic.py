"""The network card through which this machine itself is woken."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.model import Nic


@runtime_checkable
class NicPort(Protocol):
    """Finds the card and arms it. `find`, `arm` and `armed` raise `NicUnusable` with the reason."""

    async def find(self) -> Nic:
        """The one physical card that can wake this node by magic packet, or the cards of its one bond."""
        ...

    async def arm(self, nic: Nic) -> None:
        """Switch on waking by magic packet, in the card and in every device of the kernel above it.

        Other wake modes stay as they are, unless the settings ask for magic packets alone.
        """
        ...

    async def armed(self, nic: Nic) -> bool:
        """Read back whether waking by magic packet is on in all those places."""
        ...

    async def leaving(self, nic: Nic) -> None:
        """Called right before the power-off order: from now on the hook that runs after powerd arms the card again.

        That is a second safeguard, so a failure is logged and never raised.
        """
        ...

    async def staying(self) -> None:
        """Called when powerd ordered no power-off, or gave it up: the hook leaves the card alone. Never raises."""
        ...
