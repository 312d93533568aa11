"""Magic packets on several interfaces, for a farm whose nodes are in more than one segment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from app.adapters.wol.datagrams import DatagramMagicPackets
from app.domain.errors import MagicPacketNotSent, MagicPacketSentInPart
from app.domain.model import Mac


class SeveralMagicPackets:
    """`MagicPackets` on all interfaces of ``senders`` at the same time. A slow or failing one stops no other."""

    def __init__(self, senders: Mapping[str, DatagramMagicPackets]) -> None:
        self._senders = senders

    async def send(self, mac: Mac) -> None:
        """Send one packet on each. Raises `MagicPacketSentInPart`, or `MagicPacketNotSent` if none took it."""
        ends = await asyncio.gather(*(self._reason(sender, mac) for sender in self._senders.values()))
        reasons = {interface: reason for interface, reason in zip(self._senders, ends, strict=True) if reason}
        self._raise(reasons)

    def try_out(self) -> None:
        """Check that each can send. Raises `MagicPacketSentInPart`, or `MagicPacketNotSent` if none can."""
        reasons = {}
        for interface, sender in self._senders.items():
            try:
                sender.try_out()
            except MagicPacketNotSent as error:
                reasons[interface] = str(error)
        self._raise(reasons)

    async def close(self) -> None:
        for sender in self._senders.values():
            await sender.close()

    def _raise(self, reasons: Mapping[str, str]) -> None:
        if len(reasons) == len(self._senders):
            raise MagicPacketNotSent("; ".join(reasons.values()))
        if reasons:
            raise MagicPacketSentInPart(reasons)

    async def _reason(self, sender: DatagramMagicPackets, mac: Mac) -> str:
        try:
            await sender.send(mac)
        except MagicPacketNotSent as error:
            return str(error)
        return ""


Sender = DatagramMagicPackets | SeveralMagicPackets
