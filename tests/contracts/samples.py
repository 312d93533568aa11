"""One event of each kind, for tests that need all of them."""

from __future__ import annotations

from typing import get_args

from app.domain.events import (
    AlarmLeft,
    BlocksSkipped,
    ChainReorganised,
    DomainEvent,
    EventDeadLettered,
    EventsHandled,
    EventsPublished,
    FaultCleared,
    FaultRaised,
    OperationFailed,
    PowerOffDecided,
    PowerOffOrdered,
    PowerStateSet,
    PowerUnreadable,
    RebootDecided,
    RebootOrdered,
    Reconciled,
    ShutdownAborted,
    ShutdownStep,
    StayingUp,
    UptimeReported,
    UptimeSkipped,
    WakeBurstStarted,
    WakeDeferred,
    WakeEnded,
    WakeProved,
)
from app.domain.model import Inclusion, NodeId, Power, UptimeSample

DOMAIN_EVENTS: tuple[DomainEvent, ...] = (
    EventsHandled(3, (NodeId(7), NodeId(8))),
    EventDeadLettered("1700000000000-0", "gob: offset 12: unknown type id 99"),
    WakeDeferred(NodeId(7), 120.0),
    WakeBurstStarted(NodeId(7), 2, "target is Up"),
    WakeEnded(NodeId(7), 3, "awake", 83.2),
    PowerStateSet(Power.DOWN, Inclusion("0xabc", 708)),
    UptimeReported(UptimeSample(86_400, 1_700_000_000), Inclusion("0xdef", None)),
    UptimeSkipped(("readonly-cache", "limited-cache")),
    ShutdownStep("nic armed"),
    ShutdownAborted("final look", "target is Up again"),
    StayingUp("hold of operator"),
    WakeProved(1_700_000_000.0),
    AlarmLeft(3600),
    PowerUnreadable("neither Up nor Down"),
    PowerOffDecided(Power.DOWN, 700, "2026-01-31 08:15 UTC", 705, ("held", "last_waker"), (), ("magic packets",)),
    RebootDecided(
        Power.UP, 708, "2026-01-31 08:15 UTC", "2026-01-31 08:20 UTC", "2026-01-31 08:50 UTC", ("held",), ("operator",)
    ),
    PowerOffOrdered(forced=True),
    RebootOrdered(forced=False),
    Reconciled("clock"),
    OperationFailed("reading the chain", "timed out", 2.5),
    FaultRaised("nic", "zos has 2 physical network cards"),
    FaultCleared("nic"),
    EventsPublished(700, 708, 2),
    BlocksSkipped(1, 600, "pruned"),
    ChainReorganised(708, 705),
)


def missing() -> set[type]:
    """Kinds of events without a sample."""
    return set(get_args(DomainEvent)) - {type(sample) for sample in DOMAIN_EVENTS}
