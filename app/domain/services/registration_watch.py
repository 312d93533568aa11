"""Checks regularly which node this is: a twin can move to another account, a node to another farm (tfchain ADR 24).

The daemon's services are built for one node. A different answer therefore ends the program, and the
service manager restarts it as the node that it is now.
"""

from __future__ import annotations

from app.domain.errors import IdentityChanged, RetryableError, UnknownIdentity, WrongChain
from app.domain.events import OperationFailed
from app.domain.faults import FaultKind
from app.domain.model import NodeIdentity
from app.domain.services.context.node_context import NodeContext
from app.ports.identity import Identity

LOOK_EVERY_S = 600.0
"""Shorter than the 41 min after which missing uptime reports are a fault, so that the cause is shown first."""

FAULT = FaultKind.REGISTRATION.key()


class RegistrationWatch:
    """Compares the ids found at the start with those that the chain has now."""

    def __init__(
        self,
        identity: Identity,
        context: NodeContext,
        *,
        every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._identity = identity
        self._own = context.node
        self._faults = context.faults
        self._clock = context.clock
        self._telemetry = context.telemetry
        self._every_s = every_s

    async def run(self) -> None:
        """Check every ``every_s`` until cancelled; raises `IdentityChanged`."""
        while True:
            await self._clock.sleep(self._every_s)
            try:
                await self._look()
            except (RetryableError, WrongChain) as error:
                # Only a start fails on a wrong chain: a restarted daemon would not know which of the two was right.
                self._telemetry.record(OperationFailed("looking up this node's ids again", str(error), self._every_s))

    async def _look(self) -> None:
        try:
            found = await self._identity.identify()
        except UnknownIdentity as error:
            self._faults.report(
                FAULT,
                f"the chain does not take this node for node {self._own.node} any more: {error}. Until then it takes "
                "neither uptime nor power state from this node, and nothing is paid for it",
            )
            return
        self._faults.clear(FAULT)
        if found != self._own:
            raise IdentityChanged(
                f"this is {_words(found)} now; powerd runs as {_words(self._own)} and must be restarted"
            )


def _words(node: NodeIdentity) -> str:
    return f"node {node.node} of farm {node.farm} (twin {node.twin})"
