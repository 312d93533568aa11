"""The events of a farm's nodes, block by block, as far back as an endpoint has the blocks' state."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

from app.domain.minting.events import BlockWithEvents, Initial, TimedBlock
from app.domain.model import FarmId, NodeId


@runtime_checkable
class FarmHistory(Protocol):
    """Reads finalized blocks only, so that no fork changes an answer.

    Every method raises `ChainUnavailable` when no answer came in time. Those that read an old block
    raise `HistoryForgotten` when no endpoint has its state any more.
    """

    async def chain_id(self) -> str:
        """The id of this chain (its genesis), in characters that a file name can have."""
        ...

    async def newest(self) -> TimedBlock:
        """The newest finalized block."""
        ...

    async def last_before(self, time_s: int, newest: TimedBlock) -> TimedBlock:
        """The last block up to ``newest`` with a time before ``time_s``; the chain's first block if all are later."""
        ...

    async def nodes(self, farm: FarmId, at: TimedBlock) -> tuple[NodeId, ...]:
        """Ids of the farm's nodes after that block, ascending; empty where there was no such farm."""
        ...

    async def powers(self, nodes: Collection[NodeId], at: TimedBlock) -> Sequence[Initial]:
        """The nodes' power after that block; for a Down also the time of the block in which it was set."""
        ...

    async def blocks(self, nodes: Collection[NodeId], first: int, last: int) -> Sequence[BlockWithEvents]:
        """Every block from ``first`` to ``last``, ascending, with the events of these nodes in their order."""
        ...
