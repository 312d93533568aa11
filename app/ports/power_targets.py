"""The farmer's side: setting the power target of a node."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.model import Inclusion, NodeId, Power


@runtime_checkable
class PowerTargets(Protocol):
    """Sets targets, signed with the farmer's key."""

    async def set_power_target(self, node: NodeId, target: Power) -> Inclusion:
        """``change_power_target``, waited for until included; errors as for `ChainWriter`."""
        ...
