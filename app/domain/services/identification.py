"""Finds out who this machine is on the chain, as patiently as a registration in progress needs."""

from __future__ import annotations

from app.domain.backoff import Backoff, Jitter
from app.domain.errors import RetryableError
from app.domain.events import OperationFailed
from app.domain.faults import FaultKind
from app.domain.model import NodeIdentity
from app.domain.services.context.fault_board import FaultBoard
from app.ports.clock import Clock
from app.ports.identity import Identity
from app.ports.telemetry import Telemetry

RETRY = Backoff(0.5, 30.0)
FAULT = FaultKind.IDENTITY.key()
FAULT_AFTER_S = 60.0
"""Neighbours come up seconds after one another; one that is missing for longer is a fault."""


class Identification:
    """Asks until there is an answer; a permanent error (no such node) is the caller's."""

    def __init__(
        self, identity: Identity, clock: Clock, faults: FaultBoard, telemetry: Telemetry, jitter: Jitter
    ) -> None:
        self._identity = identity
        self._clock = clock
        self._faults = faults
        self._telemetry = telemetry
        self._jitter = jitter
        self.waiting_for = ""
        """What went wrong when it was last asked; empty once it is known."""

    async def run(self) -> NodeIdentity:
        """The ids of this node; raises `UnknownIdentity` or `WrongChain`."""
        failures, began_s = 0, self._clock.monotonic()
        while True:
            try:
                identity = await self._identity.identify()
            except RetryableError as error:
                failures += 1
                self.waiting_for = str(error)
                if self._clock.monotonic() - began_s >= FAULT_AFTER_S:
                    self._faults.report(FAULT, f"powerd does not know yet which node this is: {error}")
                retry_in_s = RETRY.delay_s(failures, self._jitter)
                self._telemetry.record(OperationFailed("looking up this node's ids", str(error), retry_in_s))
                await self._clock.sleep(retry_in_s)
            else:
                self.waiting_for = ""
                self._faults.clear(FAULT)
                return identity
