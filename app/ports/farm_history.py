"""What happened to a farm's nodes, block by block, as far back as the chain's endpoint remembers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

from app.domain.minting.events import Initial
from app.domain.minting.history import EventfulBlock, TimedBlock
from app.domain.model import FarmId, NodeId


@runtime_checkable
class FarmHistory(Protocol):
    """Final blocks only, so that no answer is ever taken back.

    Every method raises `ChainUnavailable` when no answer came in time, and those that read an old block
    raise `HistoryForgotten` when no endpoint has its state any more.
    """

    async def chain_id(self) -> str:
        """What tells this chain from all others, fit for a file's name."""
        ...

    async def newest(self) -> TimedBlock:
        """The newest final block."""
        ...

    async def last_before(self, time_s: int, newest: TimedBlock) -> TimedBlock:
        """The last block up to ``newest`` with a time before ``time_s``; the chain's first one if all are later."""
        ...

    async def nodes(self, farm: FarmId, at: TimedBlock) -> tuple[NodeId, ...]:
        """Ids of the farm's nodes after that block, ascending; none where there was no such farm."""
        ...

    async def powers(self, nodes: Collection[NodeId], at: TimedBlock) -> Sequence[Initial]:
        """Their power after that block, and for a Down the time of the block that it was said in."""
        ...

    async def blocks(self, nodes: Collection[NodeId], first: int, last: int) -> Sequence[EventfulBlock]:
        """Blocks ``first`` … ``last``, all of them, ascending, with the events of these nodes in their order."""
        ...
