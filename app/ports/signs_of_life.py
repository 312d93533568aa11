"""Signs of life of other nodes: what only a running node can do on the chain."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from app.domain.model import Counters, NodeId


@runtime_checkable
class SignsOfLife(Protocol):
    """Counters that only the nodes themselves can move, such as by an uptime report.

    They are read from finalized blocks, which no fork undoes, in one batch. A node that cannot be read
    is left out. Both methods raise `ChainUnavailable`.
    """

    async def counters(self, nodes: Collection[NodeId]) -> Counters:
        """The counters after the finalized head."""
        ...

    async def earlier(self, nodes: Collection[NodeId]) -> Counters | None:
        """The counters after an earlier block, at most some 20 min old; ``None`` where the chain keeps none."""
        ...
