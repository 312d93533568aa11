"""Finds out who this machine is on the chain, as patiently as a registration in progress needs."""

from __future__ import annotations

from app.domain.backoff import Backoff, Jitter
from app.domain.errors import RetryableError
from app.domain.events import Setback
from app.domain.model import NodeIdentity
from app.ports.clock import Clock
from app.ports.identity import Identity
from app.ports.telemetry import Telemetry

RETRY = Backoff(0.5, 30.0)


class Identification:
    """Asks until there is an answer; a permanent error (no such node) is the caller's."""

    def __init__(self, identity: Identity, clock: Clock, telemetry: Telemetry, jitter: Jitter) -> None:
        self._identity = identity
        self._clock = clock
        self._telemetry = telemetry
        self._jitter = jitter

    async def run(self) -> NodeIdentity:
        """The ids of this node; raises `UnknownIdentity` or `WrongChain`."""
        failures = 0
        while True:
            try:
                return await self._identity.identify()
            except RetryableError as error:
                failures += 1
                retry_in_s = RETRY.delay_s(failures, self._jitter)
                self._telemetry.happened(Setback("looking up this node's ids", str(error), retry_in_s))
                await self._clock.sleep(retry_in_s)
