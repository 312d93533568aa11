"""Orders the host to power off or to reboot; repeats the order after a while, then forces it (R5, R13)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from app.domain.errors import HostPowerFailed
from app.domain.events import OperationFailed, PowerOffDecided, PowerOffOrdered, RebootDecided, RebootOrdered
from app.domain.faults import FaultKey, FaultKind
from app.domain.rules.shutdown import ShutdownPolicy
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.progress import ITSELF
from app.domain.values import value
from app.ports.host_power import HostPower

ORDERS = ("orderly", "orderly", "forced")
"""The orders, in sequence, while the host stays alive."""

LOOKS_PER_WAIT = 30

Wanted = Callable[[], Awaitable[object]]
"""Raises when the order is no longer wanted."""


@value
class Order:
    """One way to go down. ``fault`` is the key of the fault for its failure, ``failed`` the text of that fault."""

    doing: str
    fault: FaultKey
    failed: str
    ordered: type[PowerOffOrdered | RebootOrdered]


POWER_OFF = Order(
    "powering off",
    FaultKind.POWER_OFF.key(),
    "this machine does not power off ({}); the state on chain is set to Up again",
    PowerOffOrdered,
)
REBOOT = Order(
    "rebooting",
    FaultKind.REBOOT.key(),
    "this machine must reboot to be paid again, and does not ({}); reboot it by hand",
    RebootOrdered,
)


class HostOrders:
    """Gives the orders, one sequence at a time."""

    def __init__(
        self,
        context: NodeContext,
        host: HostPower,
        policy: ShutdownPolicy,
    ) -> None:
        self._host = host
        self._clock = context.clock
        self._faults = context.faults
        self._telemetry = context.telemetry
        self._progress = context.progress
        self._policy = policy
        self.ordered = False
        """True from an order until it is known to have failed."""

    def forget(self, order: Order) -> None:
        """Clear the fault: the order is no longer wanted."""
        self._faults.clear(order.fault)

    async def give(
        self, order: Order, still_wanted: Wanted, check: Callable[[], None], why: PowerOffDecided | RebootDecided
    ) -> None:
        """Record ``why``, and give the orders. ``check`` comes before each, ``still_wanted`` before each but the first.

        Returns only if the host is alive after all of them, and reports a fault then.
        """
        self._telemetry.record(why)
        problem = ""
        for number, kind in enumerate(ORDERS):
            if number:
                await still_wanted()
            check()
            problem = await self._give_once(order, forced=kind == "forced")
            self.ordered = False
        self._faults.report(order.fault, order.failed.format(problem))

    async def _give_once(self, order: Order, *, forced: bool) -> str:
        self.ordered = True
        try:
            await self._command(order, forced=forced)()
        except asyncio.CancelledError:
            # The daemon is stopped, possibly by its own order.
            self.ordered = await self._may_be_stopping()
            raise
        except HostPowerFailed as error:
            self._telemetry.record(OperationFailed(order.doing, str(error), self._policy.order_retry_s))
            if not await self._stopping():
                self.ordered = False
                self._progress.made(ITSELF, waits_s=self._policy.order_retry_s)
                await self._clock.sleep(self._policy.order_retry_s)
                return str(error)
        else:
            self._telemetry.record(order.ordered(forced=forced))
        alive_s = await self._wait_until_failed()
        return f"still alive {alive_s:.0f} s after the order was accepted"

    def _command(self, order: Order, *, forced: bool) -> Callable[[], Awaitable[None]]:
        host = self._host
        if order is REBOOT:
            return host.force_reboot if forced else host.reboot
        return host.force_power_off if forced else host.power_off

    async def _wait_until_failed(self) -> float:
        """Wait until the order has failed for certain: longer while the system reports that it is stopping."""
        began_s = self._clock.monotonic()
        while True:
            look_s = self._policy.power_off_deadline_s / LOOKS_PER_WAIT
            self._progress.made(ITSELF, waits_s=look_s)
            await self._clock.sleep(look_s)
            alive_s = self._clock.monotonic() - began_s
            if alive_s >= self._policy.stopping_s_max:
                return alive_s
            if alive_s >= self._policy.power_off_deadline_s and not await self._stopping():
                return alive_s

    async def _may_be_stopping(self) -> bool:
        """False only if the host answers in time that no order is under way."""
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
