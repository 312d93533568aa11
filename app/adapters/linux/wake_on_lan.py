"""A network card's wake modes, read and set by ethtool's ioctl.

pyroute2 reads them and can't set them, so the setting is added here. Both need CAP_NET_ADMIN, and
both block. Command numbers and bits are those of linux/ethtool.h.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app.domain.errors import NicUnusable

ETHTOOL_SWOL = 6
WAKE_MAGIC = 1 << 5
LETTERS = "pumbagsf"
"""ethtool's letters of the modes, in the order of their bits: link, unicast, multicast, broadcast, ARP,
magic packet, magic packet with a password (SecureOn), filter."""


@dataclass(frozen=True, slots=True)
class WakeModes:
    """Bits of ``WAKE_…``: what the card supports, and what is switched on."""

    supported: int
    on: int

    @property
    def magic_supported(self) -> bool:
        """Whether the card can be woken by magic packet."""
        return bool(self.supported & WAKE_MAGIC)

    @property
    def magic_on(self) -> bool:
        """Whether it will be."""
        return bool(self.on & WAKE_MAGIC)

    @property
    def letters(self) -> str:
        """What is switched on, as ``ethtool -s CARD wol …`` takes it."""
        return "".join(letter for bit, letter in enumerate(LETTERS) if self.on >> bit & 1)

    @property
    def others(self) -> str:
        """The same without magic packet."""
        return self.letters.replace("g", "")


def read_wake_modes(card: str) -> WakeModes:
    """The card's wake modes; `NicUnusable` says why not. A card without any supports nothing."""
    from pyroute2.ethtool.ioctl import NotSupportedError

    try:
        with _ethtool(card) as ethtool:
            info = ethtool.get_wol()
            return WakeModes(info.supported, info.wolopts)
    except NotSupportedError:
        return WakeModes(supported=0, on=0)


def switch_on_magic_packet(card: str, *, alone: bool) -> None:
    """Other modes, and a SecureOn password, stay as they are; with ``alone`` other modes are switched off."""
    from pyroute2.ethtool.ioctl import NotSupportedError

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
    """What "not supported" means when it is the answer to switching it on: e1000 of some machines does so."""
    if not supported & WAKE_MAGIC:
        return f"{card} does not support waking by magic packet"
    return (
        f"the driver of {card} says that the card can be woken by magic packet, and refuses to switch it on"
        " (EOPNOTSUPP); switch Wake-on-LAN on in the card's own firmware, or use another card or driver"
    )


@contextmanager
def _ethtool(card: str) -> Iterator[Any]:  # pyroute2 has no types
    from pyroute2.ethtool.ioctl import IoctlEthtool, NoSuchDevice

    ethtool = IoctlEthtool(card)
    try:
        yield ethtool
    except NoSuchDevice:
        raise NicUnusable(f"there is no network card {card} (any more)") from None
    except PermissionError:
        raise NicUnusable(
            f"Wake-on-LAN of {card} may not be read or set: powerd lacks CAP_NET_ADMIN; run it as root, or"
            " give its systemd unit AmbientCapabilities=CAP_NET_ADMIN"
        ) from None
    except OSError as error:
        raise NicUnusable(f"the driver of {card} failed on Wake-on-LAN: {error}") from error
    finally:
        ethtool.close()
