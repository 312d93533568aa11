"""Whether a magic packet to the address in this node's record on chain would wake it (R14).

Theory of operation. Peers send magic packets to the address that the chain has for the node. A card of
a machine that is off listens to its own address: the permanent one, or the one in use when the machine
went down. Only addresses of cards count. A bridge or bond often has an address of its own, and no card
listens to that.

============================  =============================================
record on chain               objection
============================  =============================================
an address of one of the      none
machine's cards
another address               names that address and those of the cards
no usable address             says what is wrong with it
cannot be read, or is absent  says so: no node could call this one
============================  =============================================
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.model import Nic, Node, NodeId, Unreadable

REMEDY = "have the node register its network cards again (Zero-OS does so when it boots)"


def address_objection(node: NodeId, record: Node | Unreadable | None, cards: Sequence[Nic]) -> str:
    """Why no peer could wake this node by its record on chain; empty when a peer could."""
    if record is None:
        return f"the chain has no record of node {node}, so no other node knows its address; {REMEDY}"
    if isinstance(record, Unreadable):
        return f"no other node can call node {node}: {record.reason}; {REMEDY}"
    if record.mac is None:
        return f"no other node can call node {node}: {record.mac_problem}; {REMEDY}"
    if any(record.mac == card.mac or record.mac in card.addresses for card in cards):
        return ""
    have = ", ".join(f"{card.name} has {' and '.join(map(str, card.addresses))}" for card in cards)
    return (
        f"other nodes would call node {node} by {record.mac}, which is its address on chain, and {have}; {REMEDY}, "
        "or name the right card in the settings (nic.bridge)"
    )
