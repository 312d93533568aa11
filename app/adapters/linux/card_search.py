"""Finds the card, or the cards of a bond, below a bridge that can wake this machine (netlink and ethtool)."""

from __future__ import annotations

from dataclasses import replace

from app.adapters.linux.links import Link, Links, Uplink, beneath, read_links, uplinks
from app.adapters.linux.wake_on_lan import read_wake_modes
from app.adapters.processes.exhausted import remedy_of
from app.domain.errors import NicUnusable
from app.domain.model import Mac, Nic

WAKE_MODES = {
    "p": "the link coming up (p)",
    "u": "any packet to it (u)",
    "m": "multicast (m)",
    "b": "broadcast (b)",
    "a": "ARP (a)",
    "s": "magic packets with a password, which peers do not send (s)",
    "f": "a packet filter (f)",
}
"""ethtool's letters other than g, in words for an operator."""


def find_cards(bridge: str) -> tuple[Nic, list[str]]:
    """The card or cards, and the names of legs that cannot wake the machine. Blocks; raises `NicUnusable`."""
    from app.adapters.linux.library import NetlinkError

    try:
        links = read_links()
    except (NetlinkError, OSError) as error:
        remedy = remedy_of(error) if isinstance(error, OSError) else ""
        raise NicUnusable(
            f"the members of {bridge} can't be listed: {error}{f'; {remedy}' if remedy else ''}"
        ) from error
    top = next((link for link in links.values() if link.name == bridge), None)
    if top is None:
        raise NicUnusable(
            f"there is no network interface {bridge}; name in the settings (nic.bridge) the bridge of this"
            " machine's network card, or the card itself"
        )
    uplink = _only_uplink(top, links)
    modes = {card.name: read_wake_modes(card.name) for card in uplink.cards}
    waking = [card for card in uplink.cards if modes[card.name].magic_supported]
    if not waking:
        which = ", ".join(card.name for card in uplink.cards)
        raise NicUnusable(
            f"{which} does not support waking by magic packet; switch Wake-on-LAN on in the firmware"
            " setup, or use another card"
        )
    found = _one_card(uplink.link) if uplink.link.is_physical else _cards_of_bond(uplink.link, waking)
    on = {letter for card in waking for letter in modes[card.name].others}
    others = ", ".join(text for letter, text in WAKE_MODES.items() if letter in on)
    return replace(found, other_wake_modes=others), [card.name for card in uplink.cards if card not in waking]


def _only_uplink(top: Link, links: Links) -> Uplink:
    found = uplinks(top, links)
    if len(found) == 1:
        return found[0]
    if found:
        remedy = "powerd needs exactly one; name in the settings (nic.bridge) the card or the bond that it should arm"
    else:
        remedy = "add the machine's network card to it, or name another bridge or the card in the settings (nic.bridge)"
    listed = beneath(top, links)
    raise NicUnusable(f"{top.name} has {len(found)} physical network cards (its members: {listed}); {remedy}")


def _one_card(card: Link) -> Nic:
    in_use, permanent = _mac(card.address), _mac(card.permanent_address)
    mac = in_use or permanent
    if mac is None:
        raise _without_address(card)
    return Nic(card.name, mac, permanent)


def _cards_of_bond(bond: Link, cards: list[Link]) -> Nic:
    """The cards of a bond by their own addresses: asleep, a leg may not listen to the bond's address any more.

    The first one is the leg whose own address the bond uses, since peers call that address.
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
    except ValueError:  # it is all zero, or unknown
        return None
