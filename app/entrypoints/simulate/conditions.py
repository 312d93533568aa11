"""What is wrong with a machine, turned into the switches of its simulated adapters.

Several faults may ask for the same condition, and several conditions for the same switch: so all
switches are set anew from the conditions that hold now.
"""

from __future__ import annotations

from collections.abc import Callable

from app.adapters.simulated.host_power import Obedience
from app.domain.model import Hold
from app.entrypoints.simulate.hardware import Hardware

HOLDER = "maintenance"
SLOW_S = 4.0
FLAKY = 0.3

HOST_MODES = (
    ("power-off-refused", Obedience.REFUSES),
    ("power-off-hangs", Obedience.HANGS),
    ("power-off-ignored", Obedience.IGNORES),
)


def apply_conditions(
    machine: Hardware, suffers: Callable[[str], bool], flaky: Callable[[], bool], *, stopping: bool
) -> None:
    """Bring chain, bus, card, init system, health and holds to what the conditions say."""
    severed = suffers("severed")
    chain = machine.chain
    chain.unavailable = severed or suffers("chain-away")
    chain.latency_s = SLOW_S if suffers("chain-slow") else machine.chain_latency_s
    chain.fails = flaky if suffers("chain-flaky") else _never
    chain.broken = {machine.identity.node} if suffers("chain-garbled") else set()
    chain.hang_uptime = suffers("uptime-hangs")
    machine.signs_of_life.unavailable = chain.unavailable
    machine.packets.failing = severed or suffers("packets-refused")
    bus_away = severed or suffers("bus-away")
    if machine.events.unavailable != bus_away:
        machine.events.unavailable = bus_away
        if not bus_away:
            machine.bus.back()
    machine.events.full = suffers("bus-full")
    machine.nic.missing = suffers("card-missing")
    machine.nic.several = suffers("two-cards")
    machine.holds.unreadable = suffers("holds-unreadable")
    machine.nic.cannot_arm = suffers("card-cannot-arm")
    machine.nic.forgets_arming = suffers("card-forgets")
    machine.rtc.refuses = suffers("alarm-refused")
    machine.rtc.forgets = suffers("alarm-forgotten")
    machine.window_memory.unreadable = machine.window_memory.unwritable = suffers("disk-broken")
    machine.boot_memory.unreadable = machine.boot_memory.unwritable = suffers("disk-broken")
    machine.host_power.mode = machine.host_power.force_mode = Obedience.OBEYS
    for condition, mode in HOST_MODES:
        if suffers(condition):
            machine.host_power.mode = machine.host_power.force_mode = mode
    if suffers("power-off-stuck"):
        # The orderly way waits for a service that does not stop; by force it works.
        machine.host_power.mode = Obedience.IGNORES
    machine.host_power.is_stopping = suffers("power-off-stuck") or stopping
    machine.facts.problems = ("simulated",) if suffers("unhealthy") else ()
    if suffers("held"):
        machine.holds.place(Hold(HOLDER, "an operator works on it", None))
    else:
        machine.holds.lift(HOLDER)


def _never() -> bool:
    return False
