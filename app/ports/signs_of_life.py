"""Whether other nodes of the farm are alive, by what each of them does on the chain."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from app.domain.model import Counters, NodeId


@runtime_checkable
class SignsOfLife(Protocol):
    """Counters that only the nodes themselves can move: another number after each of the node's uptime reports.

    Read from finalized blocks, where a fork can't move them, in one batch. Nodes that can't be read
    are left out. Raises `ChainUnavailable`.
    """

    async def counters(self, nodes: Collection[NodeId]) -> Counters:
        """As of the finalized head."""
        ...

    async def earlier(self, nodes: Collection[NodeId]) -> Counters | None:
        """As of a block before that, some 20 min at most; None where the chain keeps none."""
        ...
