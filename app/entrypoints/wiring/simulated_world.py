"""A world of one node, all of it in memory: what the profile ``simulated`` runs in."""

from __future__ import annotations

from dataclasses import dataclass

from app.adapters.simulated.farm_setup import add_farm
from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.magic_packets import SimulatedNetwork
from app.adapters.simulated.power_events import SimulatedStream
from app.domain.model import FarmId, NodeId, NodeIdentity, TwinId
from app.ports.clock import Clock

FARMER = b"farmer".ljust(32, b".")
NODE = b"node".ljust(32, b".")


@dataclass(frozen=True, slots=True)
class World:
    """A chain that makes a block per extrinsic, a network, an event stream, and who this node is there."""

    ledger: Ledger
    network: SimulatedNetwork
    stream: SimulatedStream
    account: bytes
    identity: NodeIdentity


def world_of_one(clock: Clock) -> World:
    """A farm with a single node."""
    ledger = Ledger(clock.now(), block_time_s=0)
    farm, (node,) = add_farm(ledger, FARMER, [NODE])
    twin = TwinId(ledger.read("TwinIdByAccountID", NODE))
    return World(
        ledger,
        SimulatedNetwork(clock),
        SimulatedStream(clock),
        NODE,
        NodeIdentity(NodeId(node), FarmId(farm), twin),
    )
