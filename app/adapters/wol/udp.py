"""Magic packets as UDP broadcasts, for hosts where powerd has no right to send bare frames."""

from __future__ import annotations

import errno
import ipaddress
import socket

from app.adapters.wol.datagrams import DatagramMagicPackets
from app.domain.model import Mac

NAME_BYTES = 16
"""The kernel's limit of an interface's name, with its end."""


class UdpMagicPackets(DatagramMagicPackets):
    """`MagicPackets` to ``host`` (an IPv4 address) and ``port``, by default to the local broadcast.

    With an ``interface``, the socket is bound to it. Without, the kernel uses the default route's interface,
    and fails if there is none. Raises ``ValueError`` when ``host`` is no IPv4 address, since a name would have
    to be looked up at each wake.
    """

    def __init__(self, interface: str, host: str = "255.255.255.255", port: int = 9) -> None:
        super().__init__()
        try:
            self._target = (str(ipaddress.IPv4Address(host)), port)
        except ValueError as error:
            raise ValueError(f"magic packets can't be sent to {host!r}: it is no IPv4 address") from error
        self._interface = interface

    def _open(self) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            if self._interface:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._interface.encode())
        except OSError:
            opened.close()
            raise
        return opened

    def _is_elsewhere(self, opened: socket.socket) -> bool:
        """An interface that is renamed keeps its sockets, and another one may get its name."""
        if not self._interface:
            return False
        try:
            bound = opened.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, NAME_BYTES)
        except OSError:  # it was removed
            return True
        return bound.rstrip(b"\0") != self._interface.encode()

    def _address(self, mac: Mac) -> tuple[str, int]:  # noqa: ARG002 - a broadcast
        return self._target

    def _probe(self, tried: socket.socket) -> None:
        tried.connect(self._target)

    def _explain(self, error: OSError) -> str:
        host, port = self._target
        what = f"no magic packet can be sent to {host}:{port}"
        if self._interface:
            what += f" on {self._interface}"
        match error.errno:
            case errno.EPERM:
                return (
                    f"{what}: not permitted; binding to an interface may need CAP_NET_RAW (run as root,"
                    " or give its systemd unit AmbientCapabilities=CAP_NET_RAW), or a firewall rejects it"
                )
            case errno.ENODEV | errno.ENXIO:
                return f"{what}: there is no such network interface; name an existing one (magic_packets.interface)"
            case errno.ENETDOWN | errno.ENETUNREACH if self._interface:
                return f"{what}: the interface is down; set it up (ip link set {self._interface} up)"
            case errno.ENETUNREACH | errno.EHOSTUNREACH:
                return f"{what}: there is no route to it; name the network interface (magic_packets.interface)"
            case _:
                return f"{what}: {error}"
