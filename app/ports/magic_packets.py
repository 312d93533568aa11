"""Wake-on-LAN packets to other machines in the same layer-2 segment."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.model import Mac


@runtime_checkable
class MagicPackets(Protocol):
    """Sends magic packets."""

    async def send(self, mac: Mac) -> None:
        """Send one packet (6 × ff, then the MAC 16 times) on each configured interface.

        Raises `MagicPacketNotSent` if no interface took it, `MagicPacketSentInPart` if only some did.
        """
        ...
