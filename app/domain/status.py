"""What the node believes and does at one moment, for people and programs to see; no decision uses it."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.model import Fault, Head, Hold, NodeId, NodeIdentity, NodePower, UptimeSample


@dataclass(frozen=True, slots=True)
class WakeStatus:
    """A wake in progress: ``attempts`` bursts in ``running_for_s`` seconds."""

    node: NodeId
    reason: str
    attempts: int
    running_for_s: float
    overdue: bool


@dataclass(frozen=True, slots=True)
class UncreditedStatus:
    """A Down that has not ended in a boot: nothing is credited since then. Chain time, Unix seconds.

    ``boot_by_s`` is None without a boot request: then no boot helps.
    """

    since_s: float
    requested_at_s: float | None
    boot_by_s: float | None
    report_by_s: float


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """Everything at once. ``power`` and ``head`` are None before the first look at the chain.

    Reasons are empty texts where there is none: ``waiting_for`` while it is not known who this node is,
    ``not_enabled`` while it may power off, ``staying_up`` while it obeys its target, ``shutdown_step``
    while no power-off is under way. ``problems`` are those of the node's health.
    """

    version: str
    waiting_for: str = ""
    identity: NodeIdentity | None = None
    not_enabled: str = ""
    power: NodePower | None = None
    head: Head | None = None
    looked_at_s: float | None = None
    staying_up: str = ""
    shutdown_step: str = ""
    uncredited: UncreditedStatus | None = None
    holds: tuple[Hold, ...] = ()
    last_uptime: UptimeSample | None = None
    last_uptime_age_s: float | None = None
    problems: tuple[str, ...] = ()
    wakes: tuple[WakeStatus, ...] = ()
    faults: tuple[Fault, ...] = ()
