"""The chain: the truth about every node's power target and power state."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Protocol, runtime_checkable

from app.domain.model import (
    FarmId,
    Head,
    HeadKind,
    Inclusion,
    Node,
    NodeId,
    PastPower,
    Power,
    PowerReading,
    Unreadable,
    UptimeSample,
)

UptimeSampler = Callable[[], UptimeSample]
"""Takes a sample of the uptime now; called right before signing, and anew for every attempt."""


@runtime_checkable
class ChainReader(Protocol):
    """Reads. Every method raises `ChainUnavailable` when no answer came in time."""

    @property
    def tells_finality(self) -> bool:
        """Whether `HeadKind.FINALIZED` can be read; if not, it is answered like BEST."""
        ...

    @property
    def lacks_power(self) -> str:
        """Why nodes have no power target and state here at all; empty where they have, or before that is known.

        Then every node is Up and wanted Up, and the farm has no nodes.
        """
        ...

    async def head(self, kind: HeadKind) -> Head | None:
        """The chain's head now; ``None`` where the gateway does not tell."""
        ...

    async def powers(self, nodes: Collection[NodeId], kind: HeadKind) -> PowerReading:
        """Power of all ``nodes`` from one block, the head of the given kind, in one batch.

        Behind a gateway that gives one node a call it is as many calls, and ``head`` is None.
        """
        ...

    async def power_in(self, node: NodeId, block: Inclusion) -> PastPower | None:
        """Power of the node as that block left it; ``None`` where that is not known, or not any more.

        A block of which only the number is known (an empty hash) is the one of the best chain.
        """
        ...

    async def nodes(self, nodes: Collection[NodeId]) -> Mapping[NodeId, Node | Unreadable]:
        """Records of those of ``nodes`` that exist, in one batch.

        A node whose record is there and can't be read is `Unreadable`, and spoils no other; only a
        node that the chain does not have is left out.
        """
        ...

    async def farm_nodes(self, farm: FarmId) -> tuple[NodeId, ...]:
        """Ids of all nodes of the farm, ascending."""
        ...


@runtime_checkable
class ChainWriter(Protocol):
    """The node's own extrinsics, signed with its key.

    Each waits, bounded in time, until the extrinsic is included, and checks its success (in the
    block's events, or by what a gateway lets one tell). Raises `ExtrinsicRefused`, `ExtrinsicFailed`,
    `ExtrinsicUncertain` or `ChainUnavailable`.
    """

    async def set_power_state(self, power: Power) -> Inclusion:
        """Say on chain that this node is Up or Down (``change_power_state``)."""
        ...

    async def announce_power_state(self, power: Power) -> None:
        """Hand ``change_power_state`` to the pool and return without waiting for inclusion."""
        ...

    async def report_uptime(self, sample: UptimeSampler) -> Inclusion:
        """Report the uptime (``report_uptime_v2``), sampled right before signing."""
        ...


@runtime_checkable
class Chain(ChainReader, ChainWriter, Protocol):
    """Both sides of the chain, as one adapter gives them."""
