"""The wake modes of a network card, read and set by ethtool's ioctl.

pyroute2 can only read them, so this module adds the write. Both need CAP_NET_ADMIN, and
both block. Command numbers and bits are those of linux/ethtool.h.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from app.adapters.processes.exhausted import remedy_of
from app.domain.errors import NicUnusable
from app.domain.values import value

ETHTOOL_SWOL = 6
WAKE_MAGIC = 1 << 5
LETTERS = "pumbagsf"
"""ethtool's letters of the modes, in the order of their bits: link, unicast, multicast, broadcast, ARP,
magic packet, magic packet with a password (SecureOn), filter."""


@value
class WakeModes:
    """Bits of ``WAKE_…``: which modes the card supports, and which are on."""

    supported: int
    on: int

    @property
    def magic_supported(self) -> bool:
        return bool(self.supported & WAKE_MAGIC)

    @property
    def magic_on(self) -> bool:
        return bool(self.on & WAKE_MAGIC)

    @property
    def letters(self) -> str:
        """The modes that are on, as ``ethtool -s CARD wol …`` takes them."""
        return "".join(letter for bit, letter in enumerate(LETTERS) if self.on >> bit & 1)

    @property
    def others(self) -> str:
        """The modes that are on, without magic packet."""
        return self.letters.replace("g", "")


def read_wake_modes(card: str) -> WakeModes:
    """The card's wake modes. Raises `NicUnusable`. A card without Wake-on-LAN supports none."""
    from app.adapters.linux.library import NotSupportedError

    try:
        with _ethtool(card) as ethtool:
            info = ethtool.get_wol()
            return WakeModes(info.supported, info.wolopts)
    except NotSupportedError:
        return WakeModes(supported=0, on=0)


def switch_on_magic_packet(card: str, *, alone: bool) -> None:
    """Switch it on. Other modes and a SecureOn password stay; ``alone`` switches other modes off."""
    from app.adapters.linux.library import NotSupportedError

    reason = f"{card} does not support Wake-on-LAN"
    try:
        with _ethtool(card) as ethtool:
            info = ethtool.get_wol()
            reason = _refused(card, info.supported)
            info.cmd = ETHTOOL_SWOL
            info.wolopts = WAKE_MAGIC if alone else info.wolopts | WAKE_MAGIC
            ethtool.ifreq.wolinfo = ctypes.pointer(info)
            ethtool.ioctl()
    except NotSupportedError:
        raise NicUnusable(reason) from None


def _refused(card: str, supported: int) -> str:
    """What "not supported" means as an answer to the write: the e1000 of some machines gives it."""
    if not supported & WAKE_MAGIC:
        return f"{card} does not support waking by magic packet"
    return (
        f"the driver of {card} says that the card can be woken by magic packet, and refuses to switch it on"
        " (EOPNOTSUPP); switch Wake-on-LAN on in the card's own firmware, or use another card or driver"
    )


@contextmanager
def _ethtool(card: str) -> Iterator[Any]:  # pyroute2 has no types
    from app.adapters.linux.library import IoctlEthtool, NoSuchDevice

    try:
        with closing(IoctlEthtool(card)) as ethtool:
            yield ethtool
    except NoSuchDevice:
        raise NicUnusable(f"there is no network card {card} (any more)") from None
    except PermissionError:
        raise NicUnusable(
            f"powerd has no right to read or set Wake-on-LAN of {card}: it lacks CAP_NET_ADMIN; run it as root, or"
            " give its systemd unit AmbientCapabilities=CAP_NET_ADMIN"
        ) from None
    except OSError as error:
        if remedy := remedy_of(error):
            raise NicUnusable(f"Wake-on-LAN of {card} can't be read or set: {error.strerror}; {remedy}") from error
        raise NicUnusable(f"the driver of {card} failed on Wake-on-LAN: {error}") from error
