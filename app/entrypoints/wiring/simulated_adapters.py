"""Makes the adapters that live in memory, for the profile ``simulated`` and for single ports of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.model import Mac
from app.entrypoints.settings.loading import SettingsError
from app.entrypoints.settings.schema import Settings
from app.ports.clock import Clock

if TYPE_CHECKING:
    from app.adapters.simulated.boot_memory import SimulatedBootMemory
    from app.adapters.simulated.chain import SimulatedChain
    from app.adapters.simulated.holds import SimulatedHolds
    from app.adapters.simulated.host_facts import SimulatedHostFacts
    from app.adapters.simulated.host_power import SimulatedHostPower
    from app.adapters.simulated.identity import SimulatedIdentity
    from app.adapters.simulated.magic_packets import SimulatedMagicPackets
    from app.adapters.simulated.nic import SimulatedNic
    from app.adapters.simulated.power_events import SimulatedPowerEvents
    from app.adapters.simulated.rtc_alarm import SimulatedRtcAlarm
    from app.adapters.simulated.signs_of_life import SimulatedSignsOfLife
    from app.adapters.simulated.window_memory import SimulatedWindowMemory
    from app.entrypoints.wiring.simulated_world import World


def simulated_world(clock: Clock) -> World:
    """A farm of one node."""
    from app.entrypoints.wiring.simulated_world import world_of_one

    return world_of_one(clock)


def simulated_chain(world: World, clock: Clock) -> SimulatedChain:
    """A chain that makes a block per extrinsic."""
    from app.adapters.simulated.chain import SimulatedChain

    return SimulatedChain(world.ledger, clock, world.account)


def simulated_identity(world: World) -> SimulatedIdentity:
    """The one node."""
    from app.adapters.simulated.identity import SimulatedIdentity

    return SimulatedIdentity(world.identity)


def simulated_power_events(world: World, clock: Clock) -> SimulatedPowerEvents:
    """A stream that no program writes to."""
    from app.adapters.simulated.power_events import SimulatedPowerEvents

    return SimulatedPowerEvents(world.stream, clock)


def simulated_nic(settings: Settings) -> SimulatedNic:
    """A card that can always be woken; ``nic.mac`` is its address, or the one that the simulated chain has."""
    from app.adapters.simulated.farm_setup import mac_of
    from app.adapters.simulated.nic import SimulatedNic

    try:
        mac = Mac.parse(settings.nic.mac) if settings.nic.mac else mac_of(1, 1)
    except ValueError as error:
        raise SettingsError(f"nic.mac: {error}") from error
    return SimulatedNic(mac, "simulated0")


def simulated_magic_packets(world: World) -> SimulatedMagicPackets:
    """Packets that reach no machine."""
    from app.adapters.simulated.magic_packets import SimulatedMagicPackets

    return SimulatedMagicPackets(world.network)


def simulated_host_power(clock: Clock) -> SimulatedHostPower:
    """An init system that only takes note."""
    from app.adapters.simulated.host_power import SimulatedHostPower

    return SimulatedHostPower(clock)


def simulated_host_facts(clock: Clock) -> SimulatedHostFacts:
    """A machine booted just now."""
    from app.adapters.simulated.host_facts import SimulatedHostFacts

    return SimulatedHostFacts(clock)


def simulated_holds(clock: Clock) -> SimulatedHolds:
    """No holds."""
    from app.adapters.simulated.holds import SimulatedHolds

    return SimulatedHolds(clock)


def simulated_boot_memory() -> SimulatedBootMemory:
    """A disk that nothing was kept on."""
    from app.adapters.simulated.boot_memory import SimulatedBootMemory

    return SimulatedBootMemory()


def simulated_window_memory() -> SimulatedWindowMemory:
    """The same, for the last Down."""
    from app.adapters.simulated.window_memory import SimulatedWindowMemory

    return SimulatedWindowMemory()


def simulated_rtc_alarm(clock: Clock) -> SimulatedRtcAlarm:
    """An alarm that wakes no machine."""
    from app.adapters.simulated.rtc_alarm import SimulatedRtcAlarm

    return SimulatedRtcAlarm(clock)


def simulated_signs_of_life(world: World) -> SimulatedSignsOfLife:
    """Signs of a farm of one."""
    from app.adapters.simulated.signs_of_life import SimulatedSignsOfLife

    return SimulatedSignsOfLife(world.ledger)
