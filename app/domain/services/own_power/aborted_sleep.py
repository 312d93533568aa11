"""Ends the uncredited time after an aborted shutdown: reboots the machine, or reports what else helps (R13)."""

from __future__ import annotations

from app.domain.commands import LookAgain
from app.domain.events import RebootDecided
from app.domain.faults import FaultKind
from app.domain.model import NodeId, Power
from app.domain.moments import utc
from app.domain.rules.invariants import LOOK_S_MAX, Look, check_reboot
from app.domain.rules.paid import REBOOT_GUARDS, SETTING, DownWindow, Remedy, reboot_forbidden, uncredited
from app.domain.rules.power import Observation, PowerLimits, names
from app.domain.services.context.node_context import NodeContext
from app.domain.services.own_power.host_orders import REBOOT, HostOrders
from app.domain.services.own_power.observer import Observer
from app.domain.services.own_power.open_window import OpenWindow
from app.domain.services.waking.bursts import Bursts
from app.domain.values import value

FAULT = FaultKind.UNCREDITED.key()


class NotNow(Exception):
    """The reboot is no longer wanted, or not allowed."""


@value
class RebootRules:
    """``allowed`` is the operator's setting, ``retry_later_s`` the pause after a reboot that failed."""

    node: NodeId
    limits: PowerLimits
    allowed: bool
    retry_later_s: float

    def forbidden(self, seen: Observation) -> str:
        """Why the machine must not reboot now; empty when it may."""
        return reboot_forbidden(seen, self.limits) if self.allowed else f"{SETTING} is off; reboot it by hand"


class AbortedSleep:
    """Acts on the window that `OpenWindow` keeps."""

    def __init__(
        self,
        context: NodeContext,
        window: OpenWindow,
        observer: Observer,
        bursts: Bursts,
        orders: HostOrders,
        rules: RebootRules,
    ) -> None:
        self._clock = context.clock
        self._faults = context.faults
        self._window = window
        self._observer = observer
        self._bursts = bursts
        self._orders = orders
        self._rules = rules
        self._failed_at_s: float | None = None
        self._look: Look | None = None

    def show(self, forbidden: str = "") -> None:
        """Report or clear the fault, from the current window."""
        window, remedy = self._window.window, self._window.remedy
        if window is None:
            self._faults.clear(FAULT)
        else:
            self._faults.report(FAULT, uncredited(window, self._rules.node, remedy or Remedy.SLEEP, forbidden))

    def show_abort(self) -> None:
        """Report the fault after an aborted shutdown. If the target turned Up, the next look reports it instead."""
        if self._window.remedy is Remedy.SLEEP:
            self.show()

    async def look(self, seen: Observation) -> LookAgain:
        """Act on this observation, after `OpenWindow.saw` got it; returns when the next look is due at the latest.

        Reads everything again right before the reboot: doubt never reboots.
        """
        if self._window.window is None or self._window.remedy is not Remedy.REBOOT:
            self.show()
            self._orders.forget(REBOOT)
            return LookAgain.NEXT_ROUND
        forbidden = self._rules.forbidden(seen)
        self.show(forbidden)
        if forbidden:
            return LookAgain.IN_A_WHILE if self._rules.allowed else LookAgain.NEXT_ROUND
        began_s = self._clock.monotonic()
        if self._failed_at_s is not None and began_s - self._failed_at_s < self._rules.retry_later_s:
            return LookAgain.IN_A_WHILE
        try:
            await self._bursts.finish()
            await self._orders.give(REBOOT, self._still_wanted, self._check, await self._still_wanted())
        except NotNow:
            return LookAgain.SOON
        self._failed_at_s = began_s
        return LookAgain.IN_A_WHILE

    def _check(self) -> None:
        """See `app.domain.rules.invariants`. Each order needs a look of its own."""
        check_reboot(self._look, self._clock.monotonic())
        self._look = None

    async def _still_wanted(self) -> RebootDecided:
        seen = await self._observer.observe()
        self._look = Look(seen, self._clock.monotonic())
        # Without reads of the chain, which can be slow: `saw` was called at the beginning of this look.
        await self._window.note(seen.best)
        forbidden = self._rules.forbidden(seen)
        power = seen.best.power
        window = self._window.window
        wanted = self._window.remedy is Remedy.REBOOT and getattr(power, "target", None) is Power.UP
        is_old = self._clock.monotonic() - self._look.ended_at_s > LOOK_S_MAX  # the window waits for a disk
        if window is None or not wanted or forbidden or is_old:
            raise NotNow
        return _why(window, seen)


def _why(window: DownWindow, seen: Observation) -> RebootDecided:
    called_s = window.opened_at_s if window.requested_at_s is None else window.requested_at_s
    boot_by_s = window.report_by_s if window.boot_by_s is None else window.boot_by_s
    return RebootDecided(
        Power.UP,
        None if seen.best.head is None else seen.best.head.number,
        utc(window.opened_at_s),
        utc(called_s),
        utc(boot_by_s),
        names(REBOOT_GUARDS),
        [hold.holder for hold in seen.holds],
    )
