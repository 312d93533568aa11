"""Orders the power-off, and insists: again after a while, then by force (the last step of R5)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from app.domain.errors import HostPowerFailed
from app.domain.events import PowerOffOrdered, Setback
from app.domain.services.fault_board import FaultBoard
from app.domain.shutdown_rules import ShutdownPolicy
from app.ports.clock import Clock
from app.ports.host_power import HostPower
from app.ports.telemetry import Telemetry

FAULT = "power-off"

ORDERS = ("orderly", "orderly", "forced")
"""What is asked for, in this order, while the host stays alive."""

LOOKS_PER_WAIT = 30


class PowerOff:
    """Knows whether the host was told to go down."""

    def __init__(
        self,
        host: HostPower,
        clock: Clock,
        faults: FaultBoard,
        telemetry: Telemetry,
        policy: ShutdownPolicy,
    ) -> None:
        self._host = host
        self._clock = clock
        self._faults = faults
        self._telemetry = telemetry
        self._policy = policy
        self.ordered = False
        """True from the moment an order was given until it is known to have failed."""

    def forget(self) -> None:
        """The node is wanted up: what failed is of no interest any more."""
        self._faults.clear(FAULT)

    async def run(self, still_wanted: Callable[[], Awaitable[object]]) -> None:
        """Give the orders; ``still_wanted`` raises when the chain wants the node up before a later one.

        Returns only on a host that outlived them all; a fault tells the operator.
        """
        problem = ""
        for number, kind in enumerate(ORDERS):
            if number:
                await still_wanted()
            problem = await self._order(forced=kind == "forced")
            self.ordered = False
        self._faults.report(
            FAULT, f"this machine does not power off ({problem}); the state on chain is set to Up again"
        )

    async def _order(self, *, forced: bool) -> str:
        self.ordered = True
        try:
            await (self._host.force_power_off() if forced else self._host.power_off())
        except asyncio.CancelledError:
            # The daemon is stopped, perhaps by the very power-off that it asked for.
            self.ordered = await self._may_be_stopping()
            raise
        except HostPowerFailed as error:
            self._telemetry.happened(Setback("powering off", str(error), self._policy.order_retry_s))
            if not await self._stopping():
                self.ordered = False
                await self._clock.sleep(self._policy.order_retry_s)
                return str(error)
        else:
            self._telemetry.happened(PowerOffOrdered(forced=forced))
        alive_s = await self._outlive()
        return f"still alive {alive_s:.0f} s after the order was accepted"

    async def _outlive(self) -> float:
        """Wait until the order has plainly failed: longer while the system says it is stopping."""
        began_s = self._clock.monotonic()
        while True:
            await self._clock.sleep(self._policy.alive_s / LOOKS_PER_WAIT)
            alive_s = self._clock.monotonic() - began_s
            if alive_s >= self._policy.stopping_s_max:
                return alive_s
            if alive_s >= self._policy.alive_s and not await self._stopping():
                return alive_s

    async def _may_be_stopping(self) -> bool:
        """False only if the host says plainly, and soon, that it took no order."""
        try:
            async with self._clock.timeout(self._policy.ask_stopping_s):
                return await self._host.stopping()
        except (HostPowerFailed, TimeoutError):
            return True

    async def _stopping(self) -> bool:
        try:
            return await self._host.stopping()
        except HostPowerFailed:
            return False
