"""A farm's past as the chain's blocks tell it."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.blocks import BlockRef
from app.domain.minting.events import TimedEvent


@dataclass(frozen=True, slots=True)
class TimedBlock:
    """A block and its own time (whole Unix seconds). The first block of a chain may have none: 0."""

    ref: BlockRef
    time_s: int


@dataclass(frozen=True, slots=True)
class EventfulBlock:
    """A block and what it holds of the nodes that were asked for."""

    block: TimedBlock
    events: tuple[TimedEvent, ...]
