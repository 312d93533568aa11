"""Finds out which node this machine is on the chain, and waits while a registration is in progress."""

from __future__ import annotations

from app.domain.backoff import Backoff
from app.domain.errors import RetryableError
from app.domain.faults import FaultKind
from app.domain.model import NodeIdentity
from app.domain.services.context.node_context import ServiceContext
from app.domain.services.context.retry import Work
from app.ports.identity import Identity

ASKING = Work(
    "looking up this node's ids",
    FaultKind.IDENTITY.key(),
    "until then powerd does not know which node this is, reports no uptime and powers nothing off; see that the node "
    "is registered, and that one of chain.urls (with profile zos: registrar) answers",
    Backoff(0.5, 30.0),
)
"""The other modules of Zero-OS start within seconds; one that is missing for longer is a fault."""


IDS = "this node's ids"


class Identification:
    """Asks until there is an answer. A permanent error (no such node) goes to the caller."""

    def __init__(self, identity: Identity, context: ServiceContext) -> None:
        self._identity = identity
        self._progress = context.progress
        self._retry = context.retry(ASKING)
        self.waiting_for = ""
        """Why the last attempt failed; empty once the node is known."""

    async def run(self) -> NodeIdentity:
        """The ids of this node; raises `UnknownIdentity` or `WrongChain`."""
        while True:
            self._progress.made(IDS)
            try:
                identity = await self._identity.identify()
            except RetryableError as error:
                self.waiting_for = str(error)
                await self._retry.pause(str(error))
            else:
                self.waiting_for = ""
                self._progress.idle(IDS)
                self._retry.succeeded()
                return identity
