"""What the minting reads of one node: four kinds of events, in chain time (whole Unix seconds)."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.model import NodeId, Power


@dataclass(frozen=True, slots=True)
class Initial:
    """How the chain has the node when the period begins; ``since_s`` is the time of the block of its Down."""

    node: NodeId
    state: Power
    target: Power
    since_s: int | None = None


@dataclass(frozen=True, slots=True)
class NodeUptimeReported:
    """The chain took a report. ``uptime_s`` counts from the node's boot."""

    time_s: int
    node: NodeId
    uptime_s: int

    @property
    def boot_s(self) -> int:
        """When the node booted, if its report is true."""
        return self.time_s - self.uptime_s


@dataclass(frozen=True, slots=True)
class PowerTargetChanged:
    """The farmer set the target; the chain says so even when it was that before."""

    time_s: int
    node: NodeId
    target: Power


@dataclass(frozen=True, slots=True)
class PowerStateChanged:
    """The node set its state; a repeated Down is an event too."""

    time_s: int
    node: NodeId
    state: Power


TimedEvent = NodeUptimeReported | PowerTargetChanged | PowerStateChanged
Event = Initial | TimedEvent
