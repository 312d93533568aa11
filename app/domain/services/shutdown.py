"""Powers the node off, step by step, and takes everything back when a step fails (R5, R12).

The steps and what follows from their failure stand as a table in `app.domain.shutdown_rules`.
"""

from __future__ import annotations

from contextlib import suppress

from app.domain.commands import ShutDown, StayUp
from app.domain.errors import DownNotFinal, ExtrinsicUncertain, NicUnusable, NotWakeable, PowerdError
from app.domain.events import Setback, ShutdownAborted, ShutdownStep
from app.domain.model import Inclusion, Power
from app.domain.power_rules import Observation, OwnPower, PowerLimits, decide
from app.domain.services.boot_brake import BootBrake
from app.domain.services.clock_alarm import ClockAlarm
from app.domain.services.fault_board import FaultBoard
from app.domain.services.host_orders import POWER_OFF, HostOrders
from app.domain.services.observer import Observer
from app.domain.services.open_window import OpenWindow
from app.domain.services.own_state import OwnState
from app.domain.services.power_management import FAULT as CARD_FAULT
from app.domain.services.power_management import PowerManagement
from app.domain.services.uptime import Uptime
from app.domain.services.wake import WakeService
from app.domain.shutdown_rules import Finality, ShutdownPolicy, Step, already_final, finality_of_down, is_down
from app.ports.chain import Chain
from app.ports.clock import Clock
from app.ports.telemetry import Telemetry

REPORTS_BEFORE_DOWN = 2
"""Of this process. One can be undone by a fork; a node that was up for longer than 20 minutes has two."""

REMEMBER_S = 1.0
"""What the stop of the daemon waits for a disk."""


class Abort(Exception):
    """The sequence's orderly way out: the node stays up."""


class Shutdown:
    """One run of the sequence at a time."""

    def __init__(
        self,
        chain: Chain,
        observer: Observer,
        own_state: OwnState,
        management: PowerManagement,
        uptime: Uptime,
        wakes: WakeService,
        orders: HostOrders,
        window: OpenWindow,
        brake: BootBrake,
        alarm: ClockAlarm,
        clock: Clock,
        faults: FaultBoard,
        telemetry: Telemetry,
        limits: PowerLimits,
        policy: ShutdownPolicy,
    ) -> None:
        self._chain = chain
        self._observer = observer
        self._own_state = own_state
        self._management = management
        self._uptime = uptime
        self._wakes = wakes
        self._orders = orders
        self._window = window
        self._brake = brake
        self._alarm = alarm
        self._clock = clock
        self._faults = faults
        self._telemetry = telemetry
        self._limits = limits
        self._policy = policy
        self._step = Step.ARM
        self._running = False
        self._may_be_down_on_chain = False
        self._last_seen: OwnPower | None = None
        self._cooling_until_s = float("-inf")

    @property
    def step(self) -> str:
        """Where the sequence stands; empty while none runs."""
        return self._step.value if self._running else ""

    @property
    def cooling_down(self) -> str:
        """Why the sequence must not begin now although it could; empty when it can."""
        if self._clock.monotonic() >= self._cooling_until_s:
            return ""
        return "this machine did not power off a short while ago"

    def not_wanted(self) -> None:
        """The target is Up: what failed earlier is of no interest any more."""
        self._cooling_until_s = float("-inf")
        self._orders.forget(POWER_OFF)

    async def run(self, seen: Observation) -> None:
        """Go through the sequence; returns when a guard ended it, or the host outlived its end.

        Raises the error of a step that failed, after the state was set Up again; if that failed too,
        its error: then the caller looks again soon, and finds the state Down.
        """
        self._may_be_down_on_chain = is_down(seen.best.power)
        self._last_seen = seen.best
        self._running = True
        try:
            try:
                await self._sequence(seen)
            except Abort as abort:
                await self._abort(str(abort), self._last_seen or seen.best)
            except PowerdError as error:
                await self._abort(str(error), self._last_seen or seen.best)
                raise
        except PowerdError:
            raise
        except BaseException:
            # Stopped, or ended by a bug: either way the machine goes on.
            await self._take_back()
            raise
        finally:
            self._running = False

    async def _sequence(self, seen: Observation) -> None:
        self._pass(Step.ARM)
        await self._arm(said_down=False)
        # From Down on nothing is credited unless the machine boots (R13): all that can be asked is asked before.
        await self._close_last_window()
        await self._leave_last_sleep(seen)
        await self._wakes.finish_bursts()
        seen = await self._still_wanted()
        self._pass(Step.SAY_DOWN)
        down = await self._say_down(seen)
        said_at_s = self._clock.monotonic()
        self._pass(Step.FINAL)
        await self._wait_until_final(down, said_at_s)
        self._pass(Step.UPTIME)
        await self._last_uptime()
        self._pass(Step.TARGET)
        await self._wakes.finish_bursts()
        await self._brake.leaving()
        # Minutes have passed since the card was armed; another program may have disarmed it meanwhile.
        await self._arm(said_down=True)
        await self._management.leaving()
        seen = await self._still_wanted()
        if finality_of_down(seen, down, self._clock.monotonic() - said_at_s, self._policy) is not Finality.FINAL:
            raise DownNotFinal("our state Down is not on the chain any more")
        self._pass(Step.POWER_OFF)
        await self._orders.power_off(self._still_wanted)
        self._cooling_until_s = self._clock.monotonic() + self._policy.retry_later_s
        raise Abort("the host did not power off")

    def _pass(self, step: Step) -> None:
        self._step = step
        self._telemetry.happened(ShutdownStep(step.value))

    async def _arm(self, *, said_down: bool) -> None:
        """Drivers forget; a node that can't be woken must not sleep. The clock's alarm is the operator's wish."""
        try:
            await self._management.arm(said_down=said_down)
        except (NicUnusable, NotWakeable) as error:
            self._faults.report(CARD_FAULT, f"this node will not power off: {error}")
            raise
        await self._alarm.arm()

    async def _close_last_window(self) -> None:
        """The first report of a boot closes the window of the sleep before it, and a fork may have undone that one.

        If the report after Down closed it, the sleep that begins now would have no window, and earn nothing.
        """
        if self._uptime.taken < REPORTS_BEFORE_DOWN:
            await self._send_uptime("the uptime report before Down")

    async def _leave_last_sleep(self, seen: Observation) -> None:
        """A Down of before this boot is said anew, after an Up.

        This boot may have been asked for: then its report closed the window, and only a state that turns Down
        opens the next one. Without a window a sleep earns nothing, and the next target Up makes it worse.
        """
        if is_down(seen.best.power) and self._window.booted:
            await self._own_state.set(Power.UP)

    async def _say_down(self, seen: Observation) -> Inclusion:
        final = seen.finalized
        if already_final(seen) and final is not None and final.head is not None:
            return Inclusion(final.head.hash, final.head.number)
        self._may_be_down_on_chain = True
        await self._window.saying_down()
        try:
            inclusion = await self._own_state.set(Power.DOWN)
        except ExtrinsicUncertain:
            await self._window.may_be_said()
            raise
        except PowerdError:
            await self._window.not_said()
            raise
        if inclusion is not None:
            await self._window.said_down(inclusion)
            return inclusion
        await self._window.may_be_said()
        # The chain says Down since an earlier run: what its best head shows now has to become final.
        head = seen.best.head
        return Inclusion("", None) if head is None else Inclusion(head.hash, head.number)

    async def _wait_until_final(self, down: Inclusion, said_at_s: float) -> None:
        while True:
            waited_s = self._clock.monotonic() - said_at_s
            try:
                seen = await self._still_wanted()
                finality = finality_of_down(seen, down, waited_s, self._policy)
            except PowerdError as error:
                finality = Finality.PENDING
                self._telemetry.happened(Setback("waiting for finality", str(error), self._policy.poll_s))
            if finality is Finality.FINAL:
                return
            if finality is Finality.UNDONE:
                raise DownNotFinal("a reorganisation took our state Down back")
            if waited_s >= self._policy.final_s:
                raise DownNotFinal(f"our state Down was not final after {waited_s:.0f} s")
            await self._clock.sleep(self._policy.poll_s)

    async def _last_uptime(self) -> None:
        await self._send_uptime("the last uptime report")

    async def _send_uptime(self, what: str) -> None:
        """One fresh retry; a chain that takes no report does not keep the node awake."""
        for _ in range(2):
            try:
                async with self._clock.timeout(self._policy.uptime_s):
                    await self._uptime.send_now()
            except (PowerdError, TimeoutError) as error:
                reason = str(error) or f"no answer within {self._policy.uptime_s:.0f} s"
                self._telemetry.happened(Setback(what, reason, 0.0))
            else:
                return

    async def _still_wanted(self) -> Observation:
        """Everything anew; `Abort` when any guard objects now, or the target is Up."""
        seen = await self._observer.observe()
        self._last_seen = seen.best
        command = decide(seen, self._limits)
        if isinstance(command, ShutDown):
            return seen
        raise Abort(command.reason if isinstance(command, StayUp) else "the target turned Up")

    async def _abort(self, reason: str, last: OwnPower) -> None:
        self._telemetry.happened(ShutdownAborted(self._step.value, reason))
        await self._management.staying()
        await self._alarm.clear()
        await self._window.note(last)
        if self._may_be_down_on_chain:
            await self._window.said_up(await self._own_state.set(Power.UP))

    async def _take_back(self) -> None:
        """The daemon is stopped: say Up and don't wait, unless the host is on its way down already."""
        if self._orders.ordered:
            return
        await self._management.staying()
        if self._may_be_down_on_chain:
            with suppress(TimeoutError):
                async with self._clock.timeout(REMEMBER_S):
                    await self._window.may_be_said()
            try:
                async with self._clock.timeout(self._policy.announce_s):
                    await self._chain.announce_power_state(Power.UP)
            except (PowerdError, TimeoutError) as error:
                self._telemetry.happened(Setback("saying Up before the end", str(error), 0.0))
        await self._alarm.clear()
