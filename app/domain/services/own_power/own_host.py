"""What a shutdown does to this machine: arms what wakes it, orders the power-off, and takes both back (R5)."""

from __future__ import annotations

from app.domain.errors import NicUnusable, NotWakeable
from app.domain.events import PowerOffDecided
from app.domain.services.context.node_context import NodeContext
from app.domain.services.own_power.boot_loop import BootLoopGuard
from app.domain.services.own_power.clock_alarm import ClockAlarm
from app.domain.services.own_power.host_orders import POWER_OFF, HostOrders, Wanted
from app.domain.services.own_power.power_management import FAULT as CARD_FAULT
from app.domain.services.own_power.power_management import PowerManagement
from app.domain.services.own_power.wake_proof import WakeProof


class OwnHost:
    """The card, the clock's alarm, the count of boots and the orders, in the order that a shutdown needs."""

    def __init__(
        self,
        context: NodeContext,
        management: PowerManagement,
        alarm: ClockAlarm,
        boot_loop: BootLoopGuard,
        proof: WakeProof,
        orders: HostOrders,
    ) -> None:
        self._faults = context.faults
        self._management = management
        self._alarm = alarm
        self._boot_loop = boot_loop
        self._proof = proof
        self._orders = orders

    @property
    def ordered(self) -> bool:
        """Whether the host was ordered down and is not known to have failed."""
        return self._orders.ordered

    async def arm(self, *, said_down: bool) -> None:
        """Drivers forget; a node that can't be woken must not sleep. The clock's alarm is the operator's wish.

        Raises `NicUnusable`, `NotWakeable`, `RtcUnusable` or `ChainUnavailable`.
        """
        try:
            await self._management.arm(said_down=said_down)
        except (NicUnusable, NotWakeable) as error:
            self._faults.report(CARD_FAULT, f"this node will not power off: {error}")
            raise
        await self._alarm.arm()

    async def leave(self) -> None:
        """Minutes have passed since the card was armed; another program may have disarmed it meanwhile."""
        await self._boot_loop.leaving()
        await self.arm(said_down=True)
        await self._proof.leaving()
        await self._management.leaving()

    @property
    def wakers(self) -> tuple[str, ...]:
        """What was armed to wake this machine, in words."""
        return (*self._management.wakers, *self._alarm.wakers)

    async def power_off(self, still_wanted: Wanted, why: PowerOffDecided) -> None:
        """Returns only on a host that outlived all orders; a fault says so then."""

        async def armed_and_wanted() -> None:
            # The orders are many minutes apart: another program may have disarmed the card meanwhile.
            await self.arm(said_down=True)
            await still_wanted()

        await self._orders.insist(POWER_OFF, armed_and_wanted, why)

    async def stay(self) -> None:
        """The machine stays up: what was armed for its sleep is taken back."""
        await self._management.staying()
        await self._proof.staying()
        await self.clear_alarm()

    async def clear_alarm(self) -> None:
        """The machine is up: the alarm may be that of its last sleep."""
        await self._alarm.clear()

    def forget_failures(self) -> None:
        """The power-off is not wanted any more."""
        self._orders.forget(POWER_OFF)
