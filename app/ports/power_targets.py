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
        """``change_power_target``, waited for until included; errors as for `ChainWriter`."""
        ...

    def set_power_targets(
        self, nodes: Sequence[NodeId], target: Power
    ) -> AsyncIterator[tuple[NodeId, Inclusion | PowerdError]]:
        """All of them side by side, not a block for each; yields what became of each node as it becomes known.

        A node's failure is a value here, and keeps no other node from its target.
        """
        ...
