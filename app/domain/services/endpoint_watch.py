"""Tells the operator of an endpoint of the chain that stays out (R15): nothing else shows it while another works."""

from __future__ import annotations

from app.domain.faults import FaultKind
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.context.persistent_trouble import PersistentTrouble
from app.ports.chain_endpoints import ChainEndpoints
from app.ports.clock import Clock

LOOK_EVERY_S = 60.0
PATIENCE_S = 300.0
REMEDY = "mend it, or put another in its place (chain.urls)"


class EndpointWatch:
    """One fault for each endpoint; it ends when the endpoint works again."""

    def __init__(self, endpoints: ChainEndpoints, faults: FaultBoard, clock: Clock) -> None:
        self._endpoints = endpoints
        self._faults = faults
        self._clock = clock
        self._known: dict[str, PersistentTrouble] = {}

    async def run(self) -> None:
        """Looks every minute; runs until cancelled."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            out = {trouble.name: trouble.reason for trouble in await self._endpoints.troubles()}
            for name, reason in out.items():
                self._trouble(name).failed(f"using the chain's endpoint {name}", reason)
            for name in [name for name in self._known if name not in out]:
                self._known.pop(name).succeeded()

    def _trouble(self, name: str) -> PersistentTrouble:
        if name not in self._known:
            self._known[name] = PersistentTrouble(
                FaultKind.ENDPOINT.key(name), REMEDY, self._faults, self._clock, patience_s=PATIENCE_S
            )
        return self._known[name]
