"""The kernel's network links as netlink lists them: what they are and to which bridge they belong.

Needs no privileges. All functions block; pyroute2 refuses to work inside a running event loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ARPHRD_ETHER = 1
"""Link type of Ethernet (linux/if_arp.h); the loopback device has another."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link. ``kind`` is empty for hardware: every software device names its kind.

    ``address`` is the one in use, ``permanent_address`` the one burnt in (empty if unknown).
    """

    name: str
    kind: str
    is_ethernet: bool
    address: str
    permanent_address: str

    @property
    def is_physical(self) -> bool:
        """A network card, and not a bridge, tap, veth, VLAN…"""
        return self.is_ethernet and not self.kind


def link_with_members(name: str) -> tuple[Link | None, Sequence[Link]]:
    """The link of that name (``None`` if there is none) and the links enslaved to it.

    Raises ``NetlinkError`` and ``OSError``.
    """
    from pyroute2 import IPRoute  # heavy, and needed on a real machine only

    with IPRoute() as kernel:
        for index in kernel.link_lookup(ifname=name):
            for message in kernel.get_links(index):
                members = [_link(member) for member in kernel.get_links(master=index)]
                return _link(message), sorted(members, key=lambda member: member.name)
    return None, ()


def _link(message: Any) -> Link:  # pyroute2 has no types
    return Link(
        name=message.get_attr("IFLA_IFNAME"),
        kind=message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") or "",
        is_ethernet=message["ifi_type"] == ARPHRD_ETHER,
        address=message.get_attr("IFLA_ADDRESS") or "",
        permanent_address=message.get_attr("IFLA_PERM_ADDRESS") or "",
    )
