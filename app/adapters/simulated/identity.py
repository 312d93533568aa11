"""An identity that is known at once, or only after some failures."""

from __future__ import annotations

from app.domain.errors import ChainUnavailable, PowerdError, UnknownIdentity
from app.domain.model import NodeIdentity


class SimulatedIdentity:
    """`Identity` that answers ``identity``; ``None`` means that the chain knows no such node.

    The first ``fail_times`` questions raise ``failure``.
    """

    def __init__(self, identity: NodeIdentity | None, *, fail_times: int = 0) -> None:
        self.identity = identity
        self.fail_times = fail_times
        self.failure: PowerdError = ChainUnavailable("the simulated chain does not answer")
        self.asked = 0

    async def identify(self) -> NodeIdentity:
        """The given identity, once the failures are used up."""
        self.asked += 1
        if self.fail_times > 0:
            self.fail_times -= 1
            raise self.failure
        if self.identity is None:
            raise UnknownIdentity("the simulated chain knows no node of this key")
        return self.identity
