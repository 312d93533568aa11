"""The events of one node that the minting reads, of four kinds. Times are the chain's, in whole Unix seconds."""

from __future__ import annotations

from app.domain.blocks import BlockRef
from app.domain.model import NodeId, Power
from app.domain.values import value


@value
class Initial:
    """The node's power when the period begins; ``since_s`` is the time of the block of its Down."""

    node: NodeId
    state: Power
    target: Power
    since_s: int | None = None


@value
class NodeUptimeReported:
    """The chain took an uptime report. ``uptime_s`` is the time since the node's boot."""

    time_s: int
    node: NodeId
    uptime_s: int

    @property
    def boot_s(self) -> int:
        """When the node booted, by this report."""
        return self.time_s - self.uptime_s


@value
class PowerTargetChanged:
    """The farmer set the target. The chain has this event also when the target was the same before."""

    time_s: int
    node: NodeId
    target: Power


@value
class PowerStateChanged:
    """The node set its state. A repeated Down is an event too."""

    time_s: int
    node: NodeId
    state: Power


TimedEvent = NodeUptimeReported | PowerTargetChanged | PowerStateChanged
Event = Initial | TimedEvent


@value
class TimedBlock:
    """A block and its own time (whole Unix seconds); 0 for a first block without one."""

    ref: BlockRef
    time_s: int


@value
class BlockWithEvents:
    """A block, and its events of the nodes that were asked for."""

    block: TimedBlock
    events: tuple[TimedEvent, ...]
