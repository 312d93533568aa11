"""What an earlier block of a ledger says of a node's power."""

from __future__ import annotations

from collections.abc import Iterator

from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.ledger_blocks import Block
from app.adapters.simulated.node_powers import node_power_of
from app.adapters.simulated.pallet import ALWAYS_UP
from app.domain.model import Head, HeadKind, Inclusion, NodeId, PastPower, Power
from app.domain.power_changes import Changed, needs_parent, targets_at


def power_in(ledger: Ledger, node: NodeId, block: Inclusion) -> PastPower | None:
    """The power after that block; None when the ledger has no such block (any more)."""
    found = ledger.by_hash(block.block_hash) if block.block_hash else ledger.block(block.block_number or 0)
    if found is None:
        return None
    changes = list(_changes(found, node))
    power = node_power_of(ledger.read("NodePower", node, found.number, ALWAYS_UP))
    before = power
    if needs_parent(changes):
        before = node_power_of(ledger.read("NodePower", node, found.number - 1, ALWAYS_UP))
    head = Head(HeadKind.BEST, found.number, found.hash, found.time_ms / 1000)
    return PastPower(head, power, *targets_at(changes, before.target))


def _changes(block: Block, node: NodeId) -> Iterator[tuple[Changed, Power]]:
    for event in block.events:
        if event.name == "PowerTargetChanged" and event.attributes["node_id"] == node:
            yield Changed.TARGET, Power(event.attributes["power_target"])
        elif event.name == "PowerStateChanged" and event.attributes["node_id"] == node:
            yield Changed.STATE, Power.UP if event.attributes["power_state"] == "Up" else Power.DOWN
