"""What happened: on the chain (``PowerTargetChanged``) and in this daemon (all others)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import AmbiguousTarget
from app.domain.model import FarmId, Inclusion, NodeId, Power, UptimeSample


@dataclass(frozen=True, slots=True)
class PowerTargetChanged:
    """The chain's event of that name. Only a hint: it says "look at this node now" (R1)."""

    farm: FarmId
    node: NodeId
    target: Power

    @classmethod
    def from_flags(cls, farm: int, node: int, *, is_up: bool, is_down: bool) -> PowerTargetChanged:
        """Read Go's ``Power{IsUp, IsDown}``; `AmbiguousTarget` unless exactly one flag is set."""
        if is_up == is_down:
            which = "both Up and Down" if is_up else "neither Up nor Down"
            raise AmbiguousTarget(f"the target of node {node} is {which}")
        return cls(FarmId(farm), NodeId(node), Power.UP if is_up else Power.DOWN)


@dataclass(frozen=True, slots=True)
class Malformed:
    """What stood in the stream instead of an event."""

    reason: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One entry of the stream. ``published_at_s`` (Unix seconds) comes from the entry's id."""

    id: str
    published_at_s: float
    content: PowerTargetChanged | Malformed


@dataclass(frozen=True, slots=True)
class EventsHandled:
    """The chain was read after these entries arrived, and they were acknowledged."""

    deliveries: int
    nodes: Sequence[NodeId]


@dataclass(frozen=True, slots=True)
class EventDeadLettered:
    """An entry that is no event was put aside."""

    delivery: str
    reason: str


@dataclass(frozen=True, slots=True)
class WakeDeferred:
    """Others call this sleeper first; this node does so in ``for_s`` seconds, if it still sleeps then."""

    node: NodeId
    for_s: float


@dataclass(frozen=True, slots=True)
class WakeBurstStarted:
    """The first magic packet of a burst is out."""

    node: NodeId
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True)
class WakeEnded:
    """A wake is over: the chain shows the node Up, or does not want it Up any more."""

    node: NodeId
    attempts: int
    outcome: str


@dataclass(frozen=True, slots=True)
class PowerStateSet:
    """The chain took the state that this node reported."""

    power: Power
    inclusion: Inclusion


@dataclass(frozen=True, slots=True)
class UptimeReported:
    """An uptime report was included and succeeded."""

    sample: UptimeSample
    inclusion: Inclusion


@dataclass(frozen=True, slots=True)
class UptimeSkipped:
    """No report was made, since the node is not healthy. Not a success."""

    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class ShutdownStep:
    """The shutdown sequence passed one of its steps."""

    step: str


@dataclass(frozen=True, slots=True)
class ShutdownAborted:
    """The shutdown sequence stopped before the power-off."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class StayingUp:
    """The target is Down and the node stays up all the same."""

    reason: str


@dataclass(frozen=True, slots=True)
class AlarmLeft:
    """The clock's alarm was set by another program and comes in time: it is left as it is."""

    due_in_s: int


@dataclass(frozen=True, slots=True)
class PowerUnreadable:
    """The chain answered about this node, and not with a target and a state: it stays up."""

    reason: str


@dataclass(frozen=True, slots=True)
class PowerOffOrdered:
    """The host accepted the order to power off."""

    forced: bool


@dataclass(frozen=True, slots=True)
class RebootOrdered:
    """The host accepted the order to reboot, which ends the time that is not credited."""

    forced: bool


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One look at the chain for the node itself and its farm is done."""

    trigger: str


@dataclass(frozen=True, slots=True)
class OperationFailed:
    """Something failed and will be tried again in ``retry_in_s`` seconds."""

    doing: str
    error: str
    retry_in_s: float


@dataclass(frozen=True, slots=True)
class FaultRaised:
    """A fault the operator should see began, or its message changed in more than its figures."""

    key: str
    message: str


@dataclass(frozen=True, slots=True)
class FaultCleared:
    """A fault is over."""

    key: str


@dataclass(frozen=True, slots=True)
class EventsPublished:
    """The follower put events of these blocks on the stream."""

    first_block: int
    last_block: int
    events: int


@dataclass(frozen=True, slots=True)
class BlocksSkipped:
    """The follower passed over blocks that no endpoint can read any more."""

    first_block: int
    last_block: int
    reason: str


@dataclass(frozen=True, slots=True)
class ChainReorganised:
    """The follower's last block is no longer on the chain; it went back to ``back_to``."""

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
    | PowerUnreadable
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
"""Everything that telemetry gets."""
