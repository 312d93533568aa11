"""Reports an endpoint of the chain that stays unusable (R15): nothing else shows it while another endpoint works."""

from __future__ import annotations

from app.domain.faults import FaultKind
from app.domain.services.context.node_context import ServiceContext
from app.domain.services.context.retry import Retry, Work
from app.ports.chain import ChainEndpoints

LOOK_EVERY_S = 60.0
PATIENCE_S = 300.0
REMEDY = "fix it, or put another in its place (chain.urls)"


class EndpointWatch:
    """One fault for each endpoint; it ends when the endpoint works again."""

    def __init__(self, endpoints: ChainEndpoints, context: ServiceContext) -> None:
        self._endpoints = endpoints
        self._context = context
        self._known: dict[str, Retry] = {}

    async def run(self) -> None:
        """Checks every minute; runs until cancelled."""
        while True:
            await self._context.clock.sleep(LOOK_EVERY_S)
            out = {trouble.name: trouble.reason for trouble in await self._endpoints.troubles()}
            for name, reason in out.items():
                self._of(name).still_failing(reason)
            for name in [name for name in self._known if name not in out]:
                self._known.pop(name).succeeded()

    def _of(self, name: str) -> Retry:
        if name not in self._known:
            work = Work(
                f"using the chain's endpoint {name}", FaultKind.ENDPOINT.key(name), REMEDY, patience_s=PATIENCE_S
            )
            self._known[name] = self._context.retry(work)
        return self._known[name]
