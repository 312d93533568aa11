"""What is wrong with a machine, turned into the switches of its simulated adapters.

Several faults may ask for the same condition, and several conditions for the same switch: so all
switches are set again from the conditions that hold now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from app.adapters.simulated.host_power import Obedience
from app.domain.model import Hold, NodeId
from app.entrypoints.simulator.world.hardware import Hardware

Condition = Literal[
    "alarm-forgotten",
    "alarm-refused",
    "bus-away",
    "bus-full",
    "card-cannot-arm",
    "card-forgets",
    "card-missing",
    "chain-away",
    "chain-flaky",
    "chain-garbled",
    "chain-slow",
    "deaf",
    "disk-broken",
    "held",
    "holds-unreadable",
    "no-mains",
    "packets-refused",
    "peers-garbled",
    "power-off-hangs",
    "power-off-ignored",
    "power-off-refused",
    "power-off-stuck",
    "severed",
    "two-cards",
    "unhealthy",
    "uptime-hangs",
    "wrong-mac",
]

HOLDER = "maintenance"
SLOW_S = 4.0
FLAKY = 0.3

HOST_MODES: tuple[tuple[Condition, Obedience], ...] = (
    ("power-off-refused", Obedience.REFUSES),
    ("power-off-hangs", Obedience.HANGS),
    ("power-off-ignored", Obedience.IGNORES),
)


def apply_conditions(
    machine: Hardware, has_condition: Callable[[Condition], bool], flaky: Callable[[], bool], *, stopping: bool
) -> None:
    """Bring chain, bus, card, init system, health and holds to what the conditions say."""
    severed = has_condition("severed")
    chain = machine.chain
    chain.unavailable = severed or has_condition("chain-away")
    chain.latency_s = SLOW_S if has_condition("chain-slow") else machine.chain_latency_s
    chain.fails = flaky if has_condition("chain-flaky") else None
    chain.broken = set(_garbled(machine, has_condition))
    chain.hang_uptime = has_condition("uptime-hangs")
    machine.signs_of_life.unavailable = chain.unavailable
    machine.packets.failing = severed or has_condition("packets-refused")
    bus_away = severed or has_condition("bus-away")
    if machine.events.unavailable != bus_away:
        machine.events.unavailable = bus_away
        if not bus_away:
            machine.bus.back()
    machine.events.full = has_condition("bus-full")
    machine.nic.missing = has_condition("card-missing")
    machine.nic.several = has_condition("two-cards")
    machine.holds.unreadable = has_condition("holds-unreadable")
    machine.nic.cannot_arm = has_condition("card-cannot-arm")
    machine.nic.forgets_arming = has_condition("card-forgets")
    machine.rtc.refuses = has_condition("alarm-refused")
    machine.rtc.forgets = has_condition("alarm-forgotten")
    for memory in machine.disk:
        memory.unreadable = memory.unwritable = has_condition("disk-broken")
    machine.host_power.mode = machine.host_power.force_mode = Obedience.OBEYS
    for condition, mode in HOST_MODES:
        if has_condition(condition):
            machine.host_power.mode = machine.host_power.force_mode = mode
    if has_condition("power-off-stuck"):
        # The orderly way waits for a service that does not stop; by force it works.
        machine.host_power.mode = Obedience.IGNORES
    machine.host_power.is_stopping = has_condition("power-off-stuck") or stopping
    machine.facts.problems = ("simulated",) if has_condition("unhealthy") else ()
    if has_condition("held"):
        machine.holds.place(Hold(HOLDER, "an operator works on it", None))
    else:
        machine.holds.lift(HOLDER)


def _garbled(machine: Hardware, has_condition: Callable[[Condition], bool]) -> Iterator[NodeId]:
    """The nodes about which this machine's chain gives an answer that is neither Up nor Down."""
    own = machine.identity.node
    if has_condition("chain-garbled"):
        yield own
    if has_condition("peers-garbled"):
        yield from (node for node in machine.farm if node != own)
