"""Magic packets as bare Ethernet frames, as the reference's ``ether-wake -i zos`` sends them.

A frame is 116 bytes: the target's MAC (unicast), the interface's own MAC, EtherType 0x0842, and
the magic packet. The kernel writes the header. A switch that does not know the sleeping card's port any
more sends the frame to all ports, so it arrives without IP, ARP or routes.
"""

from __future__ import annotations

import errno
import socket

from app.adapters.wol.datagrams import DatagramSocket
from app.adapters.wol.library import create_magic_packet
from app.domain.model import Mac

ETHERTYPE_WAKE_ON_LAN = 0x0842


class RawMagicPackets:
    """`MagicPackets` on the Ethernet ``interface`` (a bridge or a card)."""

    def __init__(self, interface: str) -> None:
        self._interface = interface
        self._datagrams = DatagramSocket(_open, self._explain)

    async def send(self, mac: Mac) -> None:
        # The interface goes by name, so that one that was removed and made again is found.
        address = (self._interface, ETHERTYPE_WAKE_ON_LAN, 0, 0, mac.octets)
        await self._datagrams.send(create_magic_packet(mac.text), address)

    def try_out(self) -> None:
        """Check, without sending, powerd's right to send and that the interface is up. Raises `MagicPacketNotSent`."""
        self._datagrams.try_out(lambda tried: tried.bind((self._interface, 0)))

    async def close(self) -> None:
        self._datagrams.close()

    def _explain(self, error: OSError) -> str:
        what = f"no magic packet can be sent on {self._interface}"
        match error.errno:
            case errno.EPERM | errno.EACCES:
                return (
                    f"{what}: powerd lacks CAP_NET_RAW; run it as root, give its systemd unit"
                    " AmbientCapabilities=CAP_NET_RAW, or set magic_packets.kind to udp"
                )
            case errno.ENODEV | errno.ENXIO:
                return f"{what}: there is no such network interface; name an existing one (magic_packets.interface)"
            case errno.ENETDOWN:
                return f"{what}: the interface is down; set it up (ip link set {self._interface} up)"
            case _:
                return f"{what}: {error}"


def _open() -> socket.socket:
    # With protocol 0 the socket receives nothing, so no buffer fills up.
    return socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, 0)
