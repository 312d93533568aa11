"""What faults do to the world when they begin, and how that is undone when they are over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from app.domain.events import PowerTargetChanged
from app.domain.model import NodeId, Power
from app.entrypoints.simulator.plan.plan import FaultPlan
from app.entrypoints.simulator.world.conditions import Condition
from app.entrypoints.simulator.world.machine import Machine, MachinePower
from app.entrypoints.simulator.world.world import World

FOR_EVER = 1 << 30

Act = Callable[[World, FaultPlan], None]

LedgerSwitch = Literal["hold_blocks", "hold_finality", "lose_next", "refuse_next", "refuse_count"]
BusProperty = Literal["lost", "doubled", "late_s", "garbage"]
"""Attributes of `Ledger` and `Bus` that a fault sets; a misspelt one does not pass the type check."""


def subjects(world: World, fault: FaultPlan) -> list[Machine]:
    what, _, number = fault.subject.partition(" ")
    return [world.machines[NodeId(int(number))]] if what == "node" else world.farm.machines


def each(act: Callable[[Machine, FaultPlan], object]) -> Act:
    """Applies the effect to each machine that the fault is about."""

    def go(world: World, fault: FaultPlan) -> None:
        for machine in subjects(world, fault):
            act(machine, fault)

    return go


def condition(name: Condition) -> tuple[Act, Act]:
    """Only sets a condition of machines (`app.entrypoints.simulator.world.conditions`)."""
    return each(lambda machine, _: machine.set_condition(name)), each(lambda machine, _: machine.clear_condition(name))


# -- the chain --------------------------------------------------------------------------------------


def ledger(on: Mapping[LedgerSwitch, object], off: Mapping[LedgerSwitch, object]) -> tuple[Act, Act]:
    """Switches of the ledger, on for as long as any fault wants them on."""
    name = " ".join(on)

    def turn(world: World, switches: Mapping[LedgerSwitch, object]) -> None:
        for switch, value in switches.items():
            setattr(world.ledger, switch, value)

    def begin(world: World, fault: FaultPlan) -> None:
        world.active_faults.add(name, fault)
        turn(world, on)

    def end(world: World, fault: FaultPlan) -> None:
        if not world.active_faults.remove(name, fault):
            turn(world, off)

    return begin, end


def reorganise(world: World, fault: FaultPlan) -> None:
    """``amount`` blocks are undone; their extrinsics come again, or are lost."""
    depth = max(1, int(fault.amount))
    world.ledger.reorganise(depth, lose=world.chance("fork", fault.at_s).random() < 0.5)


# -- the bus ----------------------------------------------------------------------------------------


def bus(name: BusProperty) -> tuple[Act, Act]:
    """Sets a property of the bus; when several faults set it, the worst value counts."""

    def begin(machine: Machine, fault: FaultPlan) -> None:
        setattr(machine.bus, name, max(machine.bus.active_faults.add(name, fault)))

    def end(machine: Machine, fault: FaultPlan) -> None:
        setattr(machine.bus, name, max(machine.bus.active_faults.remove(name, fault), default=0.0))

    return each(begin), each(end)


def forge(world: World, fault: FaultPlan) -> None:
    """``amount`` events about any nodes of the farm, to each machine that runs."""
    for machine in subjects(world, fault):
        chance = world.chance("forged", machine.plan.id, fault.at_s)
        farm = world.farm
        if not machine.on:
            continue
        for _ in range(max(1, int(fault.amount))):
            node = farm.machines[int(chance.random() * len(farm.machines))].identity.node
            target = Power.UP if chance.random() < 0.5 else Power.DOWN
            machine.bus.forge(PowerTargetChanged(farm.id, node, target))


@each
def forge_own(machine: Machine, _: FaultPlan) -> None:
    """Forges an event that says Down for the node itself."""
    if machine.on:
        machine.bus.forge(PowerTargetChanged(machine.identity.farm, machine.identity.node, Power.DOWN))


@each
def replay(machine: Machine, fault: FaultPlan) -> None:
    """Old events, ``amount`` seconds old by their ids."""
    if machine.on:
        machine.bus.replay(fault.amount)


@each
def lose_data(machine: Machine, _: FaultPlan) -> None:
    """The bus acts as a server that was restarted without its data."""
    machine.bus.stream.lose_everything()
    machine.events.drop_connection()


# -- the network ------------------------------------------------------------------------------------


def lose_packets(world: World, fault: FaultPlan) -> None:
    """The network loses a share ``amount`` of the packets in the whole farm."""
    _set_loss(world, max(world.active_faults.add("packets", fault)))


def carry_packets(world: World, fault: FaultPlan) -> None:
    """The network loses only what the other active faults ask for."""
    _set_loss(world, max(world.active_faults.remove("packets", fault), default=0.0))


def _set_loss(world: World, share: float) -> None:
    chance = world.chance("packets", world.farm.id, world.now_s())
    for segment in world.farm.segments.values():
        segment.loses = lambda _: chance.random() < share


@each
def wrong_mac(machine: Machine, _: FaultPlan) -> None:
    """Puts a MAC on chain that no card has."""
    machine.set_condition("wrong-mac")
    _write_mac(machine, "02:ff:ff:ff:ff:fe")


@each
def right_mac(machine: Machine, _: FaultPlan) -> None:
    """Restores the MAC when no active fault asks for a wrong one."""
    machine.clear_condition("wrong-mac")
    if not machine.has_condition("wrong-mac"):
        _write_mac(machine, machine.plan.chain_mac or str(machine.mac))


def _write_mac(machine: Machine, mac: str) -> None:
    ledger, node = machine.world.ledger, machine.identity.node
    record = ledger.read("Nodes", node)
    interfaces = [{**interface, "mac": mac} for interface in record["interfaces"]]
    ledger.force_storage("Nodes", node, {**record, "interfaces": interfaces})


@each
def hold_until(machine: Machine, fault: FaultPlan) -> None:
    """Places a hold that ends by the machine's own clock; no program lifts it earlier."""
    machine.place_hold_until(machine.clock.now() + fault.for_s)


# -- machines ---------------------------------------------------------------------------------------


@each
def cut_power(machine: Machine, _: FaultPlan) -> None:
    """The machine is dark, and no packet can wake it."""
    machine.set_condition("no-mains")
    machine.cut_off("power cut")


@each
def restore_power(machine: Machine, _: FaultPlan) -> None:
    """Firmware set to "last state" would leave a sleeper asleep; "power on" is what most farmers have."""
    machine.clear_condition("no-mains")
    machine.switch_on("power restored")


@each
def crash(machine: Machine, _: FaultPlan) -> None:
    machine.freeze()


@each
def reset(machine: Machine, _: FaultPlan) -> None:
    """A person presses the button of a machine that is frozen."""
    if machine.power is MachinePower.FROZEN:
        machine.cut_off("reset")
        machine.switch_on("reset")


@each
def wake_by_itself(machine: Machine, _: FaultPlan) -> None:
    """A dark machine boots without a reason."""
    machine.switch_on("by itself")


@each
def kill_daemon(machine: Machine, _: FaultPlan) -> None:
    machine.kill_daemon()


@each
def lose_sight(machine: Machine, _: FaultPlan) -> None:
    """The fault happens when the machine sends its next extrinsic, which can be hours later: it may be dark."""

    def happens() -> None:
        machine.fault_history.begin("sight-lost")
        machine.fault_history.end("sight-lost")

    machine.chain.lose_sight_of_next, machine.chain.on_sight_lost = True, happens


@each
def drift(machine: Machine, fault: FaultPlan) -> None:
    """Its clock is ``amount`` seconds ahead."""
    machine.clock.step_wall_clock(fault.amount)


@each
def undrift(machine: Machine, fault: FaultPlan) -> None:
    machine.clock.step_wall_clock(-fault.amount)


@each
def disarm(machine: Machine, _: FaultPlan) -> None:
    """Its card no longer listens for packets."""
    machine.nic.wake_modes.clear()
