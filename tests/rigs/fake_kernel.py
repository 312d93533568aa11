"""Network cards the test machine does not have, at the edge of pyroute2: netlink dumps and ethtool's ioctl.

A network namespace offers software devices only, and none of those is physical or supports
Wake-on-LAN. So this rig replaces the kernel right behind the library: link messages are encoded and
decoded by pyroute2 itself, and the ioctl works on the very structure pyroute2 hands over.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pytest_mock import MockerFixture

NOWHERE = Path("/nonexistent")

ETHTOOL_GWOL, ETHTOOL_SWOL = 5, 6
PHY, MAGIC, SECURE = 1 << 0, 1 << 5, 1 << 6


@dataclass
class Card:
    """A link; ``supported`` and ``on`` are bits of WAKE_…; ``error`` fails its ethtool ioctls.

    ``stuck`` are modes that can't be switched off. ``elsewhere``: what it was made on is in another
    network namespace, and the index is of that one.
    """

    name: str
    address: str
    master: str = ""
    made_on: str = ""
    elsewhere: bool = False
    kind: str = ""
    permanent: str = ""
    supported: int = PHY | MAGIC
    on: int = 0
    password: bytes = bytes(6)
    forgets: bool = False
    stuck: int = 0
    error: int = 0
    set_error: int = 0


@dataclass
class Kernel:
    """All links, by name, in the order of their indices (from 1); ``sysfs`` takes the place of /sys."""

    cards: dict[str, Card] = field(default_factory=dict)
    sysfs: Path = NOWHERE

    def add(self, card: Card) -> None:
        self.cards[card.name] = card

    def install(self, mocker: MockerFixture) -> None:
        """Replace the kernel behind pyroute2 until the test ends."""
        mocker.patch("app.adapters.linux.wakeup_switches.SYSFS", self.sysfs)
        mocker.patch("app.adapters.linux.library.IPRoute", self._netlink)
        mocker.patch("pyroute2.ethtool.ioctl.fcntl", SimpleNamespace(ioctl=self._ioctl))

    @contextmanager
    def _netlink(self) -> Iterator[Any]:
        yield SimpleNamespace(get_links=lambda: [self._message(card) for card in self.cards.values()])

    def _index(self, name: str) -> int:
        return list(self.cards).index(name) + 1

    def _message(self, card: Card) -> Any:
        from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

        message = ifinfmsg()
        message["index"], message["ifi_type"] = self._index(card.name), 1
        message["attrs"] = [("IFLA_IFNAME", card.name), ("IFLA_ADDRESS", card.address)]
        for attribute, other in (("IFLA_MASTER", card.master), ("IFLA_LINK", card.made_on)):
            if other:
                message["attrs"].append((attribute, self._index(other)))
        if card.elsewhere:
            message["attrs"].append(("IFLA_LINK_NETNSID", 0))
        if card.kind:
            message["attrs"].append(("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", card.kind)]}))
        if card.permanent:
            octets = bytes.fromhex(card.permanent.replace(":", ""))
            message["attrs"].append(("IFLA_PERM_ADDRESS", octets))
        message.encode()
        decoded = ifinfmsg(message.data)
        decoded.decode()
        return decoded

    def _ioctl(self, _socket: object, _request: int, request: Any) -> int:
        card = self.cards.get(bytes(request.ifr_name).rstrip(b"\0").decode())
        if card is None:
            raise OSError(errno.ENODEV, "No such device")
        info = request.wolinfo.contents
        failure = card.error or (card.set_error if info.cmd == ETHTOOL_SWOL else 0)
        if failure:
            raise OSError(failure, "the driver says no")
        if card.supported == 0:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        if info.cmd == ETHTOOL_GWOL:
            info.supported, info.wolopts = card.supported, card.on
            info.sopass[:] = list(card.password)
        elif not card.forgets:
            card.on, card.password = info.wolopts | card.stuck, bytes(info.sopass)
        return 0
