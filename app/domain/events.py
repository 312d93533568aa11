"""Events: one of the chain (`PowerTargetChanged`), and those of this daemon, for log, zbus and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from app.domain.errors import AmbiguousTarget
from app.domain.model import FarmId, Inclusion, NodeId, Power, UptimeSample
from app.domain.values import value


@value
class PowerTargetChanged:
    """The chain's event of that name. It is only a hint to look at this node now (R1)."""

    farm: FarmId
    node: NodeId
    target: Power

    @classmethod
    def from_flags(cls, farm: int, node: int, *, is_up: bool, is_down: bool) -> PowerTargetChanged:
        """Read Go's ``Power{IsUp, IsDown}``. Raises `AmbiguousTarget` unless exactly one flag is set."""
        if is_up == is_down:
            which = "both Up and Down" if is_up else "neither Up nor Down"
            raise AmbiguousTarget(f"the target of node {node} is {which}")
        return cls(FarmId(farm), NodeId(node), Power.UP if is_up else Power.DOWN)


@value
class Malformed:
    """An entry of the stream that is no event."""

    reason: str
    node: ClassVar[None] = None


@value
class Delivery:
    """One entry of the stream. ``published_at_s`` (Unix seconds) comes from the entry's id."""

    id: str
    published_at_s: float
    content: PowerTargetChanged | Malformed


@value
class EventsHandled:
    """These entries were acknowledged, after the chain was read."""

    deliveries: int
    nodes: Sequence[NodeId]


@value
class EventDeadLettered:
    """An entry that is no event was moved to the dead-letter stream."""

    delivery: str
    reason: str


@value
class WakeDeferred:
    """Other nodes call this sleeper first. This node calls it in ``for_s`` seconds, if it still sleeps then."""

    node: NodeId
    for_s: float


@value
class WakeBurstStarted:
    """The first magic packet of a burst was sent."""

    node: NodeId
    attempt: int
    reason: str


@value
class WakeEnded:
    """A wake is over, ``took_s`` after it began: the node's state is Up, or its target is not Up any more."""

    node: NodeId
    attempts: int
    outcome: str
    took_s: float


@value
class PowerStateSet:
    """The state that this node reported was included in a block."""

    power: Power
    inclusion: Inclusion


@value
class UptimeReported:
    """An uptime report was included and succeeded."""

    sample: UptimeSample
    inclusion: Inclusion


@value
class UptimeSkipped:
    """No report was made, since the node is not healthy. This is no success."""

    problems: Sequence[str]


@value
class ShutdownStep:
    """The shutdown sequence passed one of its steps."""

    step: str


@value
class ShutdownAborted:
    """The shutdown sequence stopped before the power-off."""

    step: str
    reason: str


@value
class StayingUp:
    """A guard keeps the node up although its target is Down."""

    reason: str


@value
class WakeProved:
    """This boot was a wake: the node slept by powerd's order, was called, and booted (Unix seconds)."""

    booted_at_s: float


@value
class AlarmLeft:
    """Another program has set the clock's alarm, early enough: powerd leaves it."""

    due_in_s: int


@value
class PowerUnreadable:
    """The chain's answer about this node has no valid target and state. The node stays up."""

    reason: str


@value
class PowerOffDecided:
    """powerd is about to order the power-off; all reasons, in one event.

    ``target_block`` is the final block with that target; None behind a gateway that does not say which block it read.
    ``target_seen_since`` is when this process first read that target, ``down_block`` where our own Down stands.
    ``guards_passed`` were asked right before, and none objected. ``woken_by`` names what was armed, and the nodes
    that were last seen awake.
    """

    target: Power
    target_block: int | None
    target_seen_since: str
    down_block: int | None
    guards_passed: Sequence[str]
    holds: Sequence[str]
    woken_by: Sequence[str]


@value
class RebootDecided:
    """powerd is about to order a reboot, which ends the uncredited time; all reasons, in one event.

    ``boot_by`` is until when a boot loses nothing. ``guards_passed`` were asked right before.
    """

    target: Power
    target_block: int | None
    uncredited_since: str
    called_up_at: str
    boot_by: str
    guards_passed: Sequence[str]
    holds: Sequence[str]


@value
class PowerOffOrdered:
    """The host accepted the order to power off."""

    forced: bool


@value
class RebootOrdered:
    """The host accepted the order to reboot, which ends the uncredited time."""

    forced: bool


@value
class Reconciled:
    """One look at the chain ended, for the node itself or for its farm."""

    trigger: str


@value
class OperationFailed:
    """An operation failed, and is tried again in ``retry_in_s`` seconds."""

    doing: str
    error: str
    retry_in_s: float


@value
class FaultRaised:
    """A fault began, or its message changed in more than its figures."""

    key: str
    message: str


@value
class FaultCleared:
    """A fault is over."""

    key: str


@value
class EventsPublished:
    """The follower appended the events of these blocks to the stream."""

    first_block: int
    last_block: int
    events: int


@value
class BlocksSkipped:
    """The follower skipped blocks that no endpoint can read any more."""

    first_block: int
    last_block: int
    reason: str


@value
class ChainReorganised:
    """A fork undid the follower's last block; the follower went back to block ``back_to``."""

    from_block: int
    back_to: int


DomainEvent = (
    EventsHandled
    | EventDeadLettered
    | WakeDeferred
    | WakeBurstStarted
    | WakeEnded
    | PowerStateSet
    | UptimeReported
    | UptimeSkipped
    | ShutdownStep
    | ShutdownAborted
    | StayingUp
    | AlarmLeft
    | WakeProved
    | PowerUnreadable
    | PowerOffDecided
    | RebootDecided
    | PowerOffOrdered
    | RebootOrdered
    | Reconciled
    | OperationFailed
    | FaultRaised
    | FaultCleared
    | EventsPublished
    | BlocksSkipped
    | ChainReorganised
)
"""Every event that telemetry records."""
