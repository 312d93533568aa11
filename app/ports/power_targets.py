"""The farmer's side: setting the power target of a node."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

from app.domain.errors import PowerdError
from app.domain.model import Inclusion, NodeId, Power


@runtime_checkable
class PowerTargets(Protocol):
    """Sets targets, signed with the farmer's key."""

    async def set_power_target(self, node: NodeId, target: Power) -> Inclusion:
        """Submit ``change_power_target`` and wait for its inclusion. Errors are those of `ChainWriter`."""
        ...

    def set_power_targets(
        self, nodes: Sequence[NodeId], target: Power
    ) -> AsyncIterator[tuple[NodeId, Inclusion | PowerdError]]:
        """Set all targets at the same time; yields each node with its result as soon as it is known.

        The failure of one node is yielded as a value, and does not stop the others.
        """
        ...
