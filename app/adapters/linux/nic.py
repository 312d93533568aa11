"""The card this machine is woken through, found by netlink: the one way out beneath a bridge.

On Zero-OS the bridge is ``zos``. Its own MAC says nothing (a bridge takes that of a member), and
Wake-on-LAN is a matter of the card, so both are asked of the physical card, or of every leg of the
bond or team that the bridge stands on.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TypeVar

from app.adapters.linux.daemon_thread import DaemonThread, EarlierCallHangs, LoadingTakesLong
from app.adapters.linux.links import Link, Links, Uplink, beneath, read_links, uplinks
from app.adapters.linux.wake_on_lan import add_magic_packet, read_wake_modes
from app.domain.errors import NicSilent, NicUnusable
from app.domain.model import Mac, Nic

Result = TypeVar("Result")


class LinuxNic:
    """`NicPort` by netlink and ethtool.

    ``bridge`` names the bridge that stands on the card (directly, or by a bond, team or VLAN), or
    on a machine without a bridge one of those. Every question has ``timeout_s``.
    """

    def __init__(self, bridge: str, timeout_s: float = 5.0) -> None:
        self._bridge = bridge
        self._timeout_s = timeout_s
        self._thread = DaemonThread("powerd-nic", timeout_s, load=_load_libraries)

    async def find(self) -> Nic:
        """The one card that supports magic packets, or a bond's cards that do."""
        return await self._ask(lambda: _find(self._bridge))

    async def arm(self, nic: Nic) -> None:
        """Add magic packet to the wake modes of each card."""

        def work() -> None:
            for card in nic.legs:
                add_magic_packet(card)

        await self._ask(work)

    async def armed(self, nic: Nic) -> bool:
        """Whether magic packet is among the wake modes of every card."""
        return await self._ask(lambda: all(read_wake_modes(card).magic_on for card in nic.legs))

    async def _ask(self, question: Callable[[], Result]) -> Result:
        about = f"about the network card of {self._bridge}"
        try:
            return await self._thread.run(question)
        except LoadingTakesLong:
            reason = f"powerd could not ask {about} yet: its modules take long to load; this machine is very busy"
        except EarlierCallHangs:
            reason = (
                f"the kernel still has not answered an earlier question {about}: the card's driver hangs (see the "
                "kernel's log); it is not asked again until it answers"
            )
        except TimeoutError:
            reason = f"the kernel did not answer within {self._timeout_s:g} s {about}: its driver is slow, or hangs"
        raise NicSilent(reason)


def _load_libraries() -> None:
    """Half a second on a good day, 5 s on a bad one."""
    for name in ("pyroute2", "pyroute2.ethtool.ioctl", "pyroute2.netlink.exceptions"):
        importlib.import_module(name)


def _find(bridge: str) -> Nic:
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        links = read_links()
    except (NetlinkError, OSError) as error:
        raise NicUnusable(f"the members of {bridge} can't be listed: {error}") from error
    top = next((link for link in links.values() if link.name == bridge), None)
    if top is None:
        raise NicUnusable(
            f"there is no network interface {bridge}; name in the settings the bridge that holds this"
            " machine's network card, or the card itself"
        )
    uplink = _only_uplink(top, links)
    awakening = [card for card in uplink.cards if read_wake_modes(card.name).magic_supported]
    if not awakening:
        which = ", ".join(card.name for card in uplink.cards)
        raise NicUnusable(
            f"{which} does not support waking by magic packet; switch Wake-on-LAN on in the firmware"
            " setup, or use another card"
        )
    if uplink.link.is_physical:
        return _one_card(uplink.link)
    return _cards_of_bond(uplink.link, awakening)


def _only_uplink(top: Link, links: Links) -> Uplink:
    found = uplinks(top, links)
    if len(found) == 1:
        return found[0]
    if found:
        remedy = "powerd needs exactly one: name in the settings the card, or the bond, that Wake-on-LAN shall arm"
    else:
        remedy = "add the machine's network card to it, or name another bridge or the card in the settings"
    listed = beneath(top, links)
    raise NicUnusable(f"{top.name} has {len(found)} physical network cards (its members: {listed}); {remedy}")


def _one_card(card: Link) -> Nic:
    in_use, permanent = _mac(card.address), _mac(card.permanent_address)
    mac = in_use or permanent
    if mac is None:
        raise _without_address(card)
    return Nic(card.name, mac, permanent)


def _cards_of_bond(bond: Link, cards: list[Link]) -> Nic:
    """A leg in a bond uses the bond's address, and may forget it when it sleeps: its own wakes it.

    First comes the leg whose own address the bond uses, for peers call that one.
    """
    macs = {card.name: _mac(card.permanent_address) or _mac(card.address) for card in cards}
    usable = {name: mac for name, mac in macs.items() if mac is not None}
    if not usable:
        raise _without_address(cards[0])
    first = next((name for name, mac in usable.items() if mac == _mac(bond.address)), next(iter(usable)))
    card = next(card for card in cards if card.name == first)
    others = tuple(dict.fromkeys(mac for mac in usable.values() if mac != usable[first]))
    return Nic(bond.name, usable[first], _mac(card.permanent_address), tuple(macs), others)


def _without_address(card: Link) -> NicUnusable:
    return NicUnusable(f"{card.name} has no usable MAC address ({card.address!r})")


def _mac(text: str) -> Mac | None:
    try:
        return Mac.parse(text)
    except ValueError:  # all zero, or not told
        return None
