"""What operators and other programs can ask of this daemon. No method powers a node off."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.events import UptimeReported, UptimeSkipped
from app.domain.model import NodeId
from app.domain.status import NodeStatus


@runtime_checkable
class Operator(Protocol):
    """Every method but `status` raises `IdentityUnavailable` until powerd knows which node this is."""

    def status(self) -> NodeStatus:
        """What the node believes and does now."""
        ...

    async def reconcile(self) -> None:
        """Start a look at the chain, for the node itself and for its farm. Returns at once."""
        ...

    async def report_uptime(self) -> UptimeReported | UptimeSkipped:
        """Report the uptime now. Raises the errors of `ChainWriter`, `TimeoutError`, and `FeePause` after a failure."""
        ...

    async def wake(self, node: NodeId) -> None:
        """Begin to wake another node of the farm. Returns when the wake has begun.

        Raises `NodeNotKnown` if the farm has no such other node, and `NotWantedUp` if its target is Down.
        """
        ...
