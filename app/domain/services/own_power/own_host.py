"""The part of a shutdown on this machine: arms what wakes it, orders the power-off, and undoes both (R5)."""

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
    """Card, clock alarm, boot count and orders, in the sequence that a shutdown needs."""

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
        """Whether the host was ordered down, and that order is not known to have failed."""
        return self._orders.ordered

    async def arm(self, *, said_down: bool) -> None:
        """Arm the card and, if enabled, the clock's alarm. Drivers forget; a node that can't be woken must not sleep.

        Raises `NicUnusable`, `NotWakeable`, `RtcUnusable` or `ChainUnavailable`.
        """
        try:
            await self._management.arm(said_down=said_down)
        except (NicUnusable, NotWakeable) as error:
            self._faults.report(CARD_FAULT, f"this node will not power off: {error}")
            raise
        await self._alarm.arm()

    async def leave(self) -> None:
        """Arm once more before the order: another program may have disarmed the card since."""
        await self._boot_loop.leaving()
        await self.arm(said_down=True)
        await self._proof.leaving()
        await self._management.leaving()

    @property
    def wakers(self) -> tuple[str, ...]:
        """What is armed to wake this machine, in words."""
        return (*self._management.wakers, *self._alarm.wakers)

    async def power_off(self, still_wanted: Wanted, why: PowerOffDecided) -> None:
        """Give the orders; returns only on a host that is alive after all of them, with a fault."""

        async def armed_and_wanted() -> None:
            # The orders are many minutes apart: another program may have disarmed the card meanwhile.
            await self.arm(said_down=True)
            await still_wanted()

        await self._orders.insist(POWER_OFF, armed_and_wanted, why)

    async def stay(self) -> None:
        """The machine stays up: undo what was armed for its sleep."""
        await self._management.staying()
        await self._proof.staying()
        await self.clear_alarm()

    async def clear_alarm(self) -> None:
        """Clear the alarm of the last sleep: the machine is up."""
        await self._alarm.clear()

    def forget_failures(self) -> None:
        """Clear the faults of a power-off that is no longer wanted."""
        self._orders.forget(POWER_OFF)
