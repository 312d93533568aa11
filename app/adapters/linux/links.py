"""The kernel's network links, as netlink lists them, and the search from a link down to the cards below it.

======================  =======================================
a link of this kind     is above
======================  =======================================
none (hardware)         nothing: it is a card
vlan, macvlan, ipvlan…  the one link that it was made on
bond, team              its members, which together are one uplink
bridge and all others   its members, each of which is an uplink
======================  =======================================

They need no privileges. All functions block; pyroute2 does not work in a running event loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.values import value

ARPHRD_ETHER = 1
"""Link type of Ethernet (linux/if_arp.h); the loopback device has another."""

MADE_ON_ONE = frozenset({"vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"})
ACTING_AS_ONE = frozenset({"bond", "team"})


@value
class Link:
    """One link. ``kind`` is empty for hardware; every software device has one.

    ``address`` is the address in use, ``permanent_address`` the permanent one (empty if unknown). ``master``
    and ``made_on`` are the indices of other links in this network namespace, or 0.
    """

    index: int
    name: str
    kind: str
    is_ethernet: bool
    address: str
    permanent_address: str
    master: int
    made_on: int

    @property
    def is_physical(self) -> bool:
        """Whether it is a network card, and no bridge, tap, veth or VLAN."""
        return self.is_ethernet and not self.kind


Links = Mapping[int, Link]


@value
class Uplink:
    """A connection of the machine: a card, or a bond or team with the cards below it."""

    link: Link
    cards: tuple[Link, ...]


def read_links() -> Links:
    """All links of this network namespace by index. Raises ``NetlinkError`` and ``OSError``."""
    from app.adapters.linux.library import IPRoute  # slow to import, and needed on a real machine only

    with IPRoute() as kernel:
        return {link.index: link for link in map(_link, kernel.get_links())}


def uplinks(top: Link, links: Links) -> list[Uplink]:
    """The different uplinks below ``top``, by name. A card is its own uplink."""
    found = {uplink.link.index: uplink for uplink in _uplinks(top, links, frozenset())}
    return sorted(found.values(), key=lambda uplink: uplink.link.name)


def described(link: Link, links: Links) -> str:
    """The link in words, such as ``bond0 (bond over eth0, eth1)``."""
    over = ", ".join(lower.name for lower in _beneath(link, links))
    return f"{link.name} ({link.kind or 'physical'}{' over ' if over else ''}{over})"


def beneath(link: Link, links: Links) -> str:
    """The links directly below, for a message."""
    return ", ".join(described(lower, links) for lower in _beneath(link, links)) or "none"


def _uplinks(link: Link, links: Links, above: frozenset[int]) -> Iterator[Uplink]:
    if link.is_physical:
        yield Uplink(link, (link,))
        return
    above |= {link.index}
    lower = [
        found for each in _beneath(link, links) if each.index not in above for found in _uplinks(each, links, above)
    ]
    if link.kind not in ACTING_AS_ONE:
        yield from lower
    elif lower:
        cards = {card.index: card for uplink in lower for card in uplink.cards}
        yield Uplink(link, tuple(sorted(cards.values(), key=lambda card: card.name)))


def _beneath(link: Link, links: Links) -> list[Link]:
    if link.kind in MADE_ON_ONE:
        return [links[link.made_on]] if link.made_on in links else []
    return sorted((each for each in links.values() if each.master == link.index), key=lambda each: each.name)


def _link(message: Any) -> Link:  # pyroute2 has no types
    elsewhere = message.get_attr("IFLA_LINK_NETNSID") is not None
    return Link(
        index=message["index"],
        name=message.get_attr("IFLA_IFNAME"),
        kind=message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") or "",
        is_ethernet=message["ifi_type"] == ARPHRD_ETHER,
        address=message.get_attr("IFLA_ADDRESS") or "",
        permanent_address=message.get_attr("IFLA_PERM_ADDRESS") or "",
        master=message.get_attr("IFLA_MASTER") or 0,
        made_on=0 if elsewhere else message.get_attr("IFLA_LINK") or 0,
    )
