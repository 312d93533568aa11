"""The chain, which has every node's power target and power state."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, runtime_checkable

from app.domain.model import (
    EndpointTrouble,
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
"""Samples the uptime. The adapter calls it right before it signs, and again for every attempt."""


@runtime_checkable
class ChainReader(Protocol):
    """The reads. Every method raises `ChainUnavailable` when no answer came in time."""

    @property
    def lacks_power(self) -> str:
        """Why nodes have no power target and state here; empty where they have, or before that is known.

        Where it is not empty, every node reads as Up with target Up, and the farm has no nodes.
        """
        ...

    async def head(self, kind: HeadKind) -> Head | None:
        """The chain's head now; ``None`` where the gateway does not have one."""
        ...

    async def powers(self, nodes: Collection[NodeId], kind: HeadKind) -> PowerReading:
        """Power of all ``nodes``, read from one block, the head of the given kind, in one batch.

        Behind Zero-OS' gateway each node takes a call of its own, and ``head`` is None.
        """
        ...

    async def powers_at_heads(self, nodes: Collection[NodeId]) -> tuple[PowerReading | None, PowerReading]:
        """As `powers`, at the finalized head (None where none can be read), and then at the best head.

        Which block is the best head is asked after the finalized head is known, never before.
        """
        ...

    async def power_in(self, node: NodeId, block: Inclusion) -> PastPower | None:
        """Power of the node after that block; ``None`` where no endpoint knows it (any more).

        With an empty hash, the block of that number on the best chain is meant.
        """
        ...

    async def nodes(self, nodes: Collection[NodeId]) -> Mapping[NodeId, Node | Unreadable]:
        """Records of those of ``nodes`` that exist, in one batch.

        A node is left out only if the chain does not have it. A record that cannot be read is
        `Unreadable`, and does not affect the others.
        """
        ...

    async def farm_nodes(self, farm: FarmId) -> tuple[NodeId, ...]:
        """Ids of all nodes of the farm, ascending."""
        ...


@runtime_checkable
class ChainWriter(Protocol):
    """The node's own extrinsics, signed with its key.

    Each method waits, bounded in time, until the extrinsic is included, and checks that it succeeded: by
    the block's events, or by the gateway's answer. It raises `ExtrinsicRefused`, `ExtrinsicFailed`,
    `ExtrinsicUncertain` or `ChainUnavailable`.
    """

    async def set_power_state(self, power: Power) -> Inclusion:
        """Set this node's state on chain (``change_power_state``)."""
        ...

    async def announce_power_state(self, power: Power) -> None:
        """Submit ``change_power_state``, and return without waiting for its inclusion."""
        ...

    async def report_uptime(self, sample: UptimeSampler) -> Inclusion:
        """Report the uptime (``report_uptime_v2``), sampled right before signing."""
        ...


@runtime_checkable
class Chain(ChainReader, ChainWriter, Protocol):
    """Reads and writes, which every adapter implements together."""


@runtime_checkable
class ChainEndpoints(Protocol):
    """The endpoints that the settings list."""

    async def troubles(self) -> Sequence[EndpointTrouble]:
        """The endpoints that do not work now. Each that did not work at the last call is tried first."""
        ...
