"""Blocks of the chain's past, with the events of a farm's nodes."""

from __future__ import annotations

from app.domain.blocks import BlockRef
from app.domain.minting.events import TimedEvent
from app.domain.values import value


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
