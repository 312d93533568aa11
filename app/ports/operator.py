"""What people and other programs may ask of this daemon. Nothing here powers a node off."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.events import UptimeReported, UptimeSkipped
from app.domain.model import NodeId
from app.domain.status import NodeStatus


@runtime_checkable
class Operator(Protocol):
    """Every method but `status` raises `IdentityUnavailable` until it is known who this node is."""

    def status(self) -> NodeStatus:
        """What the node believes and does now."""
        ...

    async def reconcile(self) -> None:
        """Look at the chain again soon, for the node itself and its farm; returns at once."""
        ...

    async def report_uptime(self) -> UptimeReported | UptimeSkipped:
        """Report the uptime now; raises the errors of `ChainWriter`, and `TimeoutError`."""
        ...

    async def wake(self, node: NodeId) -> None:
        """Begin to wake another node of the farm; returns once that is decided.

        Raises `NodeNotKnown` if the farm has no such other node, and `NotWantedUp` if its target is Down.
        """
        ...
