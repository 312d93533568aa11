"""The card this machine is woken through: the one physical member of a bridge, found by netlink.

On Zero-OS the bridge is ``zos``. Its own MAC says nothing (a bridge takes that of a member), and
Wake-on-LAN is a matter of the card, so both are asked of the physical member.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from app.adapters.linux.daemon_thread import DaemonThread
from app.adapters.linux.links import Link, link_with_members
from app.adapters.linux.wake_on_lan import add_magic_packet, read_wake_modes
from app.domain.errors import NicUnusable
from app.domain.model import Mac, Nic

Result = TypeVar("Result")


class LinuxNic:
    """`NicPort` by netlink and ethtool.

    ``bridge`` names the bridge whose physical member is the card, or the card itself on a machine
    without a bridge. Every question has ``timeout_s``.
    """

    def __init__(self, bridge: str, timeout_s: float = 5.0) -> None:
        self._bridge = bridge
        self._timeout_s = timeout_s
        self._thread = DaemonThread("powerd-nic", timeout_s)

    async def find(self) -> Nic:
        """The one physical card that supports magic packets."""
        return await self._ask(lambda: _find(self._bridge))

    async def arm(self, nic: Nic) -> None:
        """Add magic packet to the card's wake modes."""
        await self._ask(lambda: add_magic_packet(nic.name))

    async def armed(self, nic: Nic) -> bool:
        """Whether magic packet is among the card's wake modes."""
        modes = await self._ask(lambda: read_wake_modes(nic.name))
        return modes.magic_on

    async def _ask(self, question: Callable[[], Result]) -> Result:
        try:
            return await self._thread.run(question)
        except TimeoutError:
            raise NicUnusable(
                f"the kernel did not answer within {self._timeout_s:g} s about the network card of"
                f" {self._bridge}: its driver hangs"
            ) from None


def _find(bridge: str) -> Nic:
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        link, members = link_with_members(bridge)
    except (NetlinkError, OSError) as error:
        raise NicUnusable(f"the members of {bridge} can't be listed: {error}") from error
    if link is None:
        raise NicUnusable(
            f"there is no network interface {bridge}; name in the settings the bridge that holds this"
            " machine's network card, or the card itself"
        )
    card = link if link.is_physical else _only_physical(link, members)
    if not read_wake_modes(card.name).magic_supported:
        raise NicUnusable(
            f"{card.name} does not support waking by magic packet; switch Wake-on-LAN on in the firmware"
            " setup, or use another card"
        )
    return _nic(card)


def _only_physical(bridge: Link, members: Sequence[Link]) -> Link:
    physical = [member for member in members if member.is_physical]
    if len(physical) == 1:
        return physical[0]
    listed = ", ".join(f"{member.name} ({member.kind or 'physical'})" for member in members) or "none"
    if physical:
        remedy = "powerd needs exactly one: name in the settings the card that Wake-on-LAN shall arm"
    else:
        remedy = "add the machine's network card to it, or name another bridge or the card in the settings"
    raise NicUnusable(f"{bridge.name} has {len(physical)} physical network cards (its members: {listed}); {remedy}")


def _nic(card: Link) -> Nic:
    in_use, burnt_in = _mac(card.address), _mac(card.permanent_address)
    mac = in_use or burnt_in
    if mac is None:
        raise NicUnusable(f"{card.name} has no usable MAC address ({card.address!r})")
    return Nic(card.name, mac, burnt_in)


def _mac(text: str) -> Mac | None:
    try:
        return Mac.parse(text)
    except ValueError:  # all zero, or not told
        return None
