"""Magic packets as bare Ethernet frames, as the reference's ``ether-wake -i zos`` sends them.

A frame is 116 bytes: the target's MAC (unicast), the interface's own MAC, EtherType 0x0842, and
the magic packet. The kernel writes the header. A switch that does not know the sleeping card's port any
more sends the frame to all ports, so it arrives without IP, ARP or routes.
"""

from __future__ import annotations

import errno
import socket

from app.adapters.wol.datagrams import DatagramMagicPackets
from app.domain.model import Mac

ETHERTYPE_WAKE_ON_LAN = 0x0842


class RawMagicPackets(DatagramMagicPackets):
    """`MagicPackets` on the Ethernet ``interface`` (a bridge or a card)."""

    def __init__(self, interface: str) -> None:
        super().__init__()
        self._interface = interface

    def _open(self) -> socket.socket:
        # With protocol 0 the socket receives nothing, so no buffer fills up.
        return socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, 0)

    def _address(self, mac: Mac) -> tuple[str, int, int, int, bytes]:
        # The interface goes by name, so that one that was removed and made again is found.
        return (self._interface, ETHERTYPE_WAKE_ON_LAN, 0, 0, mac.octets)

    def _probe(self, tried: socket.socket) -> None:
        tried.bind((self._interface, 0))

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
