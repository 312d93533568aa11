"""Every fault the simulator knows, by name: a table of what each does, to whom, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from app.entrypoints.simulator.faults import effects
from app.entrypoints.simulator.faults.effects import FOR_EVER, Act
from app.entrypoints.simulator.world.conditions import Condition

MINUTES = 60.0


@dataclass(frozen=True, slots=True)
class FaultKind:
    """``scope`` is the widest subject it makes sense for; ranges are what made-up faults draw from."""

    text: str
    scope: Literal["chain", "farm", "node"]
    begin: Act
    end: Act | None = None
    for_s: tuple[float, float] = (0.0, 0.0)
    amount: tuple[float, float] = (0.0, 0.0)
    farm_wide: bool = False
    """Whether it hits the whole farm of a node that its plan names."""


def _condition(
    name: Condition, text: str, for_s: tuple[float, float], scope: Literal["farm", "node"] = "node"
) -> dict[str, FaultKind]:
    """A fault that is one condition, and has its name."""
    return {name: FaultKind(text, scope, *effects.condition(name), for_s)}


FAULT_KINDS: Mapping[str, FaultKind] = {
    "chain-stalls": FaultKind(
        "no block is made", "chain", *effects.ledger({"hold_blocks": True}, {"hold_blocks": False}), (30, 5 * MINUTES)
    ),
    "finality-stalls": FaultKind(
        "blocks are not finalized",
        "chain",
        *effects.ledger({"hold_finality": True}, {"hold_finality": False}),
        (30, 15 * MINUTES),
    ),
    "reorganisation": FaultKind("the newest blocks are undone", "chain", effects.reorganise, amount=(1, 3)),
    "extrinsics-lost": FaultKind(
        "the pool forgets extrinsics", "chain", *effects.ledger({"lose_next": FOR_EVER}, {"lose_next": 0}), (1, 90)
    ),
    "extrinsics-refused": FaultKind(
        "the pool refuses extrinsics",
        "chain",
        *effects.ledger({"refuse_next": "payment", "refuse_count": FOR_EVER}, {"refuse_next": "", "refuse_count": 1}),
        (1, 120),
    ),
    **_condition("chain-away", "the chain can't be reached", (30, 20 * MINUTES), "farm"),
    **_condition("chain-slow", "the chain takes seconds to answer", (60, 30 * MINUTES), "farm"),
    **_condition("chain-flaky", "answers of the chain get lost", (60, 30 * MINUTES), "farm"),
    **_condition("chain-garbled", "the chain's answer is neither Up nor Down", (60, 30 * MINUTES)),
    **_condition("peers-garbled", "the chain's answer about other nodes is neither Up nor Down", (60, 30 * MINUTES)),
    **_condition("uptime-hangs", "uptime reports hang", (60, 20 * MINUTES)),
    "sight-lost": FaultKind(
        "an extrinsic is taken, and its sender never hears of it",
        "node",
        effects.lose_sight,
    ),
    **_condition("bus-away", "the event bus is down", (10, 20 * MINUTES)),
    **_condition("bus-full", "the event bus takes no writes", (60, 30 * MINUTES)),
    "bus-data-lost": FaultKind("the bus lost its data", "node", effects.lose_data),
    "events-lost": FaultKind("events never come", "farm", *effects.bus("lost"), (60, 60 * MINUTES), (0.2, 1.0)),
    "events-doubled": FaultKind("events come twice", "farm", *effects.bus("doubled"), (60, 60 * MINUTES), (0.2, 1.0)),
    "events-late": FaultKind(
        "events come late, in another order",
        "farm",
        *effects.bus("late_s"),
        (60, 60 * MINUTES),
        (5, 900),
    ),
    "events-replayed": FaultKind("old events come again", "node", effects.replay, amount=(0, 86_400)),
    "events-forged": FaultKind("another program forges events", "node", effects.forge, amount=(1, 10)),
    "own-event-forged": FaultKind("another program forges an event Down for the node", "node", effects.forge_own),
    "events-malformed": FaultKind(
        "garbage comes among the events", "farm", *effects.bus("garbage"), (60, 3600), (0.3, 1.0)
    ),
    "packets-lost": FaultKind(
        "magic packets get lost",
        "farm",
        effects.lose_packets,
        effects.carry_packets,
        (60, 20 * MINUTES),
        (0.3, 1.0),
        farm_wide=True,
    ),
    **_condition("packets-refused", "the node can't send magic packets", (60, 30 * MINUTES)),
    **_condition("deaf", "the dark node's card ignores magic packets", (60, 60 * MINUTES)),
    "wrong-mac": FaultKind(
        "the MAC on chain is another's",
        "node",
        effects.wrong_mac,
        effects.right_mac,
        (60, 3600),
    ),
    **_condition("card-missing", "the card is gone", (60, 30 * MINUTES)),
    **_condition("card-cannot-arm", "the driver refuses to arm the card", (60, 30 * MINUTES)),
    **_condition("card-forgets", "the driver forgets that it armed the card", (60, 30 * MINUTES)),
    **_condition("alarm-refused", "the clock takes no alarm", (60, 30 * MINUTES)),
    **_condition("alarm-forgotten", "the clock forgets its alarm", (60, 30 * MINUTES)),
    **_condition("disk-broken", "what the boot-loop guard remembers can't be read or written", (60, 60 * MINUTES)),
    "disarmed": FaultKind("another program switches Wake-on-LAN off", "node", effects.disarm),
    **_condition("two-cards", "a second card is plugged in", (60, 30 * MINUTES)),
    **_condition("holds-unreadable", "the holds can't be read", (60, 30 * MINUTES)),
    **_condition("power-off-refused", "the init system refuses to power off", (60, 40 * MINUTES)),
    **_condition("power-off-hangs", "the init system gives no answer", (60, 40 * MINUTES)),
    **_condition("power-off-ignored", "the init system says yes and does nothing", (60, 40 * MINUTES)),
    **_condition("power-off-stuck", "a service does not stop", (60, 40 * MINUTES)),
    **_condition("unhealthy", "a health flag is set", (60, 30 * MINUTES)),
    **_condition("held", "a hold keeps the machine up", (60, 60 * MINUTES)),
    "held-until": FaultKind(
        "a hold with an end keeps the machine up", "node", effects.hold_until, for_s=(60, 60 * MINUTES)
    ),
    "power-cut": FaultKind(
        "mains power fails, and comes back",
        "node",
        effects.cut_power,
        effects.restore_power,
        (10, 30 * MINUTES),
    ),
    "crash": FaultKind(
        "the machine freezes until it is reset",
        "node",
        effects.crash,
        effects.reset,
        (60, 3600),
    ),
    "spontaneous-wake": FaultKind("the machine switches itself on", "node", effects.wake_by_itself),
    "daemon-killed": FaultKind("kill -9 of powerd", "node", effects.kill_daemon),
    "clock-drift": FaultKind(
        "the machine's clock is wrong",
        "node",
        effects.drift,
        effects.undrift,
        (60, 60 * MINUTES),
        (-200, 200),
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
