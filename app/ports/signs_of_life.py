"""Whether other nodes of the farm are alive, by what each of them does on the chain."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol, runtime_checkable

from app.domain.model import NodeId


@runtime_checkable
class SignsOfLife(Protocol):
    """Counters that only the nodes themselves can move."""

    async def counters(self, nodes: Collection[NodeId]) -> Mapping[NodeId, int]:
        """A number per node, in one batch: it is another one after each of the node's uptime reports.

        Read from the finalized head, where a fork can't move it. Nodes that can't be read are left
        out. Raises `ChainUnavailable`.
        """
        ...
