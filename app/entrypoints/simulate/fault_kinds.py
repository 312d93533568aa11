"""Every fault the simulator knows, by name: what it does when it begins, and when it is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from app.domain.events import PowerTargetChanged
from app.domain.model import NodeId, Power
from app.entrypoints.simulate.machine import Machine, MachinePower
from app.entrypoints.simulate.plan import FaultPlan

if TYPE_CHECKING:
    from app.entrypoints.simulate.world import Farm, World

MINUTES = 60.0
FOR_EVER = 1 << 30

Act = Callable[["World", FaultPlan], None]


@dataclass(frozen=True, slots=True)
class FaultKind:
    """``scope`` is the widest subject it makes sense for; ranges are what made-up faults draw from."""

    text: str
    scope: Literal["chain", "farm", "node"]
    begin: Act
    end: Act | None = None
    for_s: tuple[float, float] = (0.0, 0.0)
    amount: tuple[float, float] = (0.0, 0.0)
    segment_wide: bool = False
    """Whether it befalls the whole farms of its subjects."""


def subjects(world: World, fault: FaultPlan) -> list[Machine]:
    """The machines a fault is about."""
    what, _, number = fault.subject.partition(" ")
    if what == "node":
        return [world.machines[NodeId(int(number))]]
    if what == "farm":
        return world.farms[int(number)].machines
    return list(world.machines.values())


def schedule(world: World) -> None:
    """Let every fault of the plan begin and end in its time."""
    for fault in world.plan.faults:
        kind = FAULT_KINDS[fault.kind]
        world.later(fault.at_s, _acting(kind.begin, world, fault))
        world.later(fault.at_s + fault.for_s, _acting(kind.end or _over, world, fault))


def _acting(act: Act, world: World, fault: FaultPlan) -> Callable[[], None]:
    kind = FAULT_KINDS[fault.kind]

    def go() -> None:
        for machine in befallen(world, fault):
            (machine.troubles.begin if act is kind.begin else machine.troubles.end)(fault.kind)
        act(world, fault)

    return go


def befallen(world: World, fault: FaultPlan) -> list[Machine]:
    """The machines that feel it, whomever its plan names: a chain that stalls, stalls for all."""
    kind = FAULT_KINDS[fault.kind]
    if kind.scope == "chain":
        return list(world.machines.values())
    if kind.segment_wide:
        return [machine for farm in _farms(world, fault) for machine in farm.machines]
    return subjects(world, fault)


def _farms(world: World, fault: FaultPlan) -> list[Farm]:
    return [world.farms[farm] for farm in sorted({machine.identity.farm for machine in subjects(world, fault)})]


def _over(world: World, fault: FaultPlan) -> None:
    """It lasted for a moment only, or leaves nothing behind that has to be mended."""


def _each(act: Callable[[Machine, FaultPlan], object]) -> Act:
    def go(world: World, fault: FaultPlan) -> None:
        for machine in subjects(world, fault):
            act(machine, fault)

    return go


def _condition(
    name: str, text: str, for_s: tuple[float, float], scope: Literal["farm", "node"] = "node"
) -> dict[str, FaultKind]:
    """A fault that is nothing but a condition of machines (`app.entrypoints.simulate.conditions`)."""
    begin, end = _each(lambda machine, _: machine.afflict(name)), _each(lambda machine, _: machine.relieve(name))
    return {name: FaultKind(text, scope, begin, end, for_s)}


# -- the chain --------------------------------------------------------------------------------------


def _switch(name: str, on: object, off: object) -> tuple[Act, Act]:
    """A switch of the ledger, on for as long as any fault wants it on."""

    def begin(world: World, fault: FaultPlan) -> None:
        world.going_on.add(name, fault)
        setattr(world.ledger, name, on)

    def end(world: World, fault: FaultPlan) -> None:
        if not world.going_on.remove(name, fault):
            setattr(world.ledger, name, off)

    return begin, end


def _reorganise(world: World, fault: FaultPlan) -> None:
    depth = max(1, int(fault.amount))
    world.ledger.reorganise(depth, lose=world.chance("fork", fault.at_s).random() < 0.5)


def _refuse_extrinsics(world: World, fault: FaultPlan) -> None:
    world.going_on.add("refuse", fault)
    world.ledger.refuse_next, world.ledger.refuse_count = "payment", FOR_EVER


def _take_extrinsics(world: World, fault: FaultPlan) -> None:
    if not world.going_on.remove("refuse", fault):
        world.ledger.refuse_next, world.ledger.refuse_count = "", 1


# -- the bus ----------------------------------------------------------------------------------------


def _bus(name: str) -> tuple[Act, Act]:
    """A property of the bus; of several faults the worst counts."""

    def begin(machine: Machine, fault: FaultPlan) -> None:
        setattr(machine.bus, name, max(machine.bus.going_on.add(name, fault)))

    def end(machine: Machine, fault: FaultPlan) -> None:
        setattr(machine.bus, name, max(machine.bus.going_on.remove(name, fault), default=0.0))

    return _each(begin), _each(end)


def _forge(machine: Machine, fault: FaultPlan) -> None:
    chance = machine.world.chance("forged", machine.plan.id, fault.at_s)
    farm = machine.world.farms[machine.identity.farm]
    if machine.has_bus:
        for _ in range(max(1, int(fault.amount))):
            node = farm.machines[int(chance.random() * len(farm.machines))].identity.node
            target = Power.UP if chance.random() < 0.5 else Power.DOWN
            machine.bus.forge(PowerTargetChanged(farm.id, node, target))


def _forge_own(machine: Machine, fault: FaultPlan) -> None:  # noqa: ARG001
    if machine.has_bus:
        machine.bus.forge(PowerTargetChanged(machine.identity.farm, machine.identity.node, Power.DOWN))


def _replay(machine: Machine, fault: FaultPlan) -> None:
    if machine.has_bus:
        machine.bus.replay(fault.amount)


def _lose_data(machine: Machine, fault: FaultPlan) -> None:  # noqa: ARG001
    machine.bus.stream.lose_everything()
    machine.events.drop_connection()


# -- the network ------------------------------------------------------------------------------------


def _lose_packets(world: World, fault: FaultPlan) -> None:
    for farm in _farms(world, fault):
        _set_loss(world, farm, max(world.going_on.add(f"packets {farm.id}", fault)))


def _carry_packets(world: World, fault: FaultPlan) -> None:
    for farm in _farms(world, fault):
        _set_loss(world, farm, max(world.going_on.remove(f"packets {farm.id}", fault), default=0.0))


def _set_loss(world: World, farm: Farm, share: float) -> None:
    chance = world.chance("packets", farm.id, world.now_s())
    for segment in farm.segments.values():
        segment.loses = lambda _: chance.random() < share


def _wrong_mac(machine: Machine, fault: FaultPlan) -> None:  # noqa: ARG001
    _write_mac(machine, "02:ff:ff:ff:ff:fe")


def _right_mac(machine: Machine, fault: FaultPlan) -> None:  # noqa: ARG001
    _write_mac(machine, machine.plan.chain_mac or str(machine.mac))


def _write_mac(machine: Machine, mac: str) -> None:
    ledger, node = machine.world.ledger, machine.identity.node
    record = ledger.read("Nodes", node)
    interfaces = [{**interface, "mac": mac} for interface in record["interfaces"]]
    ledger.genesis("Nodes", node, {**record, "interfaces": interfaces})


# -- machines ---------------------------------------------------------------------------------------


def _cut_power(machine: Machine, fault: FaultPlan) -> None:  # noqa: ARG001
    machine.afflict("no-mains")
    machine.cut_off("power cut")


def _restore_power(machine: Machine, fault: FaultPlan) -> None:  # noqa: ARG001
    """Firmware set to "last state" would leave a sleeper asleep; "power on" is what most farmers have."""
    machine.relieve("no-mains")
    machine.switch_on("power restored")


def _crash(machine: Machine, fault: FaultPlan) -> None:  # noqa: ARG001
    machine.freeze()


def _reset(machine: Machine, fault: FaultPlan) -> None:  # noqa: ARG001
    if machine.power is MachinePower.FROZEN:
        machine.cut_off("reset")
        machine.switch_on("reset")


def _drift(machine: Machine, fault: FaultPlan) -> None:
    machine.clock.step_wall_clock(fault.amount)


def _undrift(machine: Machine, fault: FaultPlan) -> None:
    machine.clock.step_wall_clock(-fault.amount)


def _disarm(machine: Machine, fault: FaultPlan) -> None:  # noqa: ARG001
    machine.nic.wake_modes.clear()


FAULT_KINDS: Mapping[str, FaultKind] = {
    "chain-stalls": FaultKind("no block is made", "chain", *_switch("hold_blocks", True, False), (30, 5 * MINUTES)),
    "finality-stalls": FaultKind(
        "blocks are not finalized", "chain", *_switch("hold_finality", True, False), (30, 15 * MINUTES)
    ),
    "reorganisation": FaultKind("the newest blocks are undone", "chain", _reorganise, amount=(1, 3)),
    "extrinsics-lost": FaultKind("the pool forgets extrinsics", "chain", *_switch("lose_next", FOR_EVER, 0), (1, 90)),
    "extrinsics-refused": FaultKind(
        "the pool refuses extrinsics", "chain", _refuse_extrinsics, _take_extrinsics, (1, 120)
    ),
    **_condition("chain-away", "the chain can't be reached", (30, 20 * MINUTES), "farm"),
    **_condition("chain-slow", "the chain takes seconds to answer", (60, 30 * MINUTES), "farm"),
    **_condition("chain-flaky", "answers of the chain get lost", (60, 30 * MINUTES), "farm"),
    **_condition("chain-garbled", "the chain's answer is neither Up nor Down", (60, 30 * MINUTES)),
    **_condition("uptime-hangs", "uptime reports hang", (60, 20 * MINUTES)),
    "sight-lost": FaultKind(
        "an extrinsic is taken, and its sender never hears of it",
        "node",
        _each(lambda machine, _: setattr(machine.chain, "lose_sight_of_next", True)),
    ),
    **_condition("bus-away", "the event bus is down", (10, 20 * MINUTES)),
    **_condition("bus-full", "the event bus takes no writes", (60, 30 * MINUTES)),
    "bus-data-lost": FaultKind("the bus lost its data", "node", _each(_lose_data)),
    "events-lost": FaultKind("events never come", "farm", *_bus("lost"), (60, 60 * MINUTES), (0.2, 1.0)),
    "events-doubled": FaultKind("events come twice", "farm", *_bus("doubled"), (60, 60 * MINUTES), (0.2, 1.0)),
    "events-late": FaultKind(
        "events come late, in another order",
        "farm",
        *_bus("late_s"),
        (60, 60 * MINUTES),
        (5, 900),
    ),
    "events-replayed": FaultKind("old events come again", "node", _each(_replay), amount=(0, 86_400)),
    "events-forged": FaultKind("somebody forges events", "node", _each(_forge), amount=(1, 10)),
    "own-event-forged": FaultKind("somebody forges an event Down for the node", "node", _each(_forge_own)),
    "events-malformed": FaultKind("garbage comes among the events", "farm", *_bus("garbage"), (60, 3600), (0.3, 1.0)),
    "packets-lost": FaultKind(
        "magic packets get lost",
        "farm",
        _lose_packets,
        _carry_packets,
        (60, 20 * MINUTES),
        (0.3, 1.0),
        segment_wide=True,
    ),
    **_condition("packets-refused", "the node can't send magic packets", (60, 30 * MINUTES)),
    **_condition("deaf", "the dark node's card ignores magic packets", (60, 60 * MINUTES)),
    "wrong-mac": FaultKind("the MAC on chain is another's", "node", _each(_wrong_mac), _each(_right_mac), (60, 3600)),
    **_condition("card-missing", "the card is gone", (60, 30 * MINUTES)),
    **_condition("card-cannot-arm", "the driver refuses to arm the card", (60, 30 * MINUTES)),
    **_condition("card-forgets", "the driver forgets that it armed the card", (60, 30 * MINUTES)),
    **_condition("alarm-refused", "the clock takes no alarm", (60, 30 * MINUTES)),
    **_condition("alarm-forgotten", "the clock forgets its alarm", (60, 30 * MINUTES)),
    **_condition("disk-broken", "what the brake remembers can't be read or written", (60, 60 * MINUTES)),
    "disarmed": FaultKind("somebody switches Wake-on-LAN off", "node", _each(_disarm)),
    **_condition("two-cards", "a second card is plugged in", (60, 30 * MINUTES)),
    **_condition("holds-unreadable", "nobody can tell who holds the machine", (60, 30 * MINUTES)),
    **_condition("power-off-refused", "the init system refuses to power off", (60, 40 * MINUTES)),
    **_condition("power-off-hangs", "the init system gives no answer", (60, 40 * MINUTES)),
    **_condition("power-off-ignored", "the init system says yes and does nothing", (60, 40 * MINUTES)),
    **_condition("power-off-stuck", "a service does not stop", (60, 40 * MINUTES)),
    **_condition("unhealthy", "a health flag is set", (60, 30 * MINUTES)),
    **_condition("held", "somebody holds the machine", (60, 60 * MINUTES)),
    "power-cut": FaultKind(
        "mains power fails, and comes back", "node", _each(_cut_power), _each(_restore_power), (10, 30 * MINUTES)
    ),
    "crash": FaultKind("the machine freezes until it is reset", "node", _each(_crash), _each(_reset), (60, 3600)),
    "spontaneous-wake": FaultKind(
        "the machine switches itself on", "node", _each(lambda machine, _: machine.switch_on("by itself"))
    ),
    "daemon-killed": FaultKind("kill -9 of powerd", "node", _each(lambda machine, _: machine.kill_daemon())),
    "clock-drift": FaultKind(
        "the machine's clock is wrong", "node", _each(_drift), _each(_undrift), (60, 60 * MINUTES), (-200, 200)
    ),
}


def listed() -> Iterator[str]:
    """A line for each kind: its widest subject, how long made-up ones last, what they draw as amount, what it does."""
    yield f"{'kind':<20} {'subject':<8} {'seconds':<12} {'amount':<12} what happens"
    for name, kind in FAULT_KINDS.items():
        subject = "all" if kind.scope == "chain" else kind.scope
        yield f"{name:<20} {subject:<8} {_range(kind.for_s):<12} {_range(kind.amount):<12} {kind.text}".rstrip()


def _range(ends: tuple[float, float]) -> str:
    return f"{ends[0]:g} … {ends[1]:g}" if ends[1] else "–"
