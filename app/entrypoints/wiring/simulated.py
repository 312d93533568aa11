"""The world of the profile ``simulated``: one node, all in memory."""

from __future__ import annotations

from app.adapters.simulated.chain import SimulatedChain
from app.adapters.simulated.farm_setup import add_farm, mac_of
from app.adapters.simulated.holds import SimulatedHolds
from app.adapters.simulated.host_facts import SimulatedHostFacts
from app.adapters.simulated.host_power import SimulatedHostPower
from app.adapters.simulated.identity import SimulatedIdentity
from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.magic_packets import SimulatedMagicPackets, SimulatedNetwork
from app.adapters.simulated.memory import SimulatedMemory
from app.adapters.simulated.nic import SimulatedNic
from app.adapters.simulated.power_events import SimulatedPowerEvents, SimulatedStream
from app.adapters.simulated.rtc_alarm import SimulatedRtcAlarm
from app.adapters.simulated.signs_of_life import SimulatedSignsOfLife
from app.domain.model import FarmId, Mac, NodeId, NodeIdentity, TwinId
from app.domain.values import value
from app.entrypoints.settings.loading import SettingsError
from app.entrypoints.settings.schema import Settings
from app.ports.clock import Clock

FARMER = b"farmer".ljust(32, b".")
NODE = b"node".ljust(32, b".")


@value
class World:
    """A chain that makes a block per extrinsic, a network, an event stream, and which node this is there."""

    ledger: Ledger
    network: SimulatedNetwork
    stream: SimulatedStream
    account: bytes
    identity: NodeIdentity


def world_of_one(clock: Clock) -> World:
    ledger = Ledger(clock.now(), block_time_s=0)
    farm, (node,) = add_farm(ledger, FARMER, [NODE])
    twin = TwinId(ledger.read("TwinIdByAccountID", NODE))
    identity = NodeIdentity(NodeId(node), FarmId(farm), twin)
    return World(ledger, SimulatedNetwork(clock), SimulatedStream(clock), NODE, identity)


def simulated_nic(settings: Settings) -> SimulatedNic:
    """A card that can always be woken; ``nic.mac`` is its address, or the one that the simulated chain has."""
    try:
        mac = Mac.parse(settings.nic.mac) if settings.nic.mac else mac_of(1, 1)
    except ValueError as error:
        raise SettingsError(f"nic.mac: {error}") from error
    return SimulatedNic(mac, "simulated0")
