"""Powers the node off, step by step, and undoes everything when a step fails (R5, R12).

A table in `app.domain.rules.shutdown` lists the steps, and what follows from the failure of each.
"""

from __future__ import annotations

from app.domain.commands import ShutDown, StayUp
from app.domain.errors import DownNotFinal, PowerdError
from app.domain.events import OperationFailed, PowerOffDecided, ShutdownAborted, ShutdownStep
from app.domain.model import Inclusion, Power
from app.domain.moments import utc
from app.domain.rules.invariants import Look, check_power_off, check_up
from app.domain.rules.power import GUARDS, Observation, OwnPower, decide, names
from app.domain.rules.shutdown import Finality, ShutdownPolicy, Step, finality_of_down
from app.domain.services.context.alongside import alongside
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.progress import ITSELF
from app.domain.services.own_power.host_orders import POWER_OFF, HostOrders
from app.domain.services.own_power.last_duties import LastDuties
from app.domain.services.own_power.observer import Observer
from app.domain.services.own_power.own_state import OwnState

FRESH_S = 0.2
"""What follows from a look follows within this time after its end, or powerd looks again."""


class Abort(Exception):
    """Ends the sequence: the node stays up."""


class Shutdown:
    """Runs the sequence, once at a time."""

    def __init__(
        self,
        context: NodeContext,
        observer: Observer,
        state: OwnState,
        orders: HostOrders,
        duties: LastDuties,
        policy: ShutdownPolicy,
    ) -> None:
        self._clock = context.clock
        self._telemetry = context.telemetry
        self._progress = context.progress
        self._observer = observer
        self._state = state
        self._management = observer.guards.management
        self._boot_loop = observer.guards.boot_loop
        self._last_waker = observer.guards.last_waker
        self._proof = observer.guards.proof
        self._orders = orders
        self._duties = duties
        self._policy = policy
        self._step = Step.ARM
        self._running = False
        self._last_seen: OwnPower | None = None
        self._look: Look | None = None
        self._armed = False
        self._down_is_final = False
        self._cooling_until_s = float("-inf")

    @property
    def step(self) -> str:
        """The current step; empty while no sequence runs."""
        return self._step.value if self._running else ""

    @property
    def cooling_down(self) -> str:
        """Why the sequence must not begin yet; empty when it can."""
        if self._clock.monotonic() >= self._cooling_until_s:
            return ""
        return "this machine did not power off a short while ago"

    def not_wanted(self) -> None:
        """The target is Up: forget earlier failures."""
        self._cooling_until_s = float("-inf")
        self._orders.forget(POWER_OFF)

    async def clear_alarm(self) -> None:
        """Clear the clock's alarm of the last sleep: the machine is up."""
        await self._management.alarm.clear()

    async def run(self, seen: Observation) -> None:
        """Run the sequence; returns when a guard ended it, or when the host is alive after its end.

        Raises the error of a failed step after the state was set Up again; if that failed too, raises that error:
        the caller then looks again soon, and finds the state Down.
        """
        self._state.begin(seen)
        self._last_seen = seen.best
        self._armed = self._down_is_final = False
        self._running = True
        try:
            await self._attempt(seen)
        except PowerdError:
            raise
        except BaseException:
            # Stopped, or ended by a bug: the machine stays up in both cases.
            await self._take_back()
            raise
        finally:
            self._running = False

    async def _attempt(self, seen: Observation) -> None:
        try:
            await self._sequence(seen)
        except Abort as abort:
            await self._abort(str(abort), self._last_seen or seen.best)
        except PowerdError as error:
            await self._abort(str(error), self._last_seen or seen.best)
            raise

    async def _sequence(self, seen: Observation) -> None:
        self._pass(Step.ARM)
        await self._management.arm()
        # After Down nothing is credited unless the machine boots (R13). So every check that can come before it does.
        await self._duties.close_last_window()
        await self._state.replace_old_down(seen)
        await self._duties.bursts.finish()
        seen = await self._state.intend_down(self._wakeable_and_wanted(said_down=False), self._fresh)
        self._pass(Step.SAY_DOWN)
        down = await self._state.say_down(seen)
        said_at_s = self._clock.monotonic()
        reported = self._final_and_reported(down, said_at_s)
        await alongside(self._state.remember_down(), reported, "own power: remember Down")
        self._pass(Step.TARGET)
        await self._duties.bursts.finish()
        await self._arm()
        await self._management.leaving()
        seen = await alongside(self._proof.leaving(), self._wakeable_and_wanted(), "own power: remember the departure")
        seen = await self._fresh(seen)  # from here on nothing is awaited before the order
        if finality_of_down(seen, down, self._clock.monotonic() - said_at_s, self._policy) is not Finality.FINAL:
            raise DownNotFinal("our state Down is not on the chain any more")
        self._down_is_final = True
        self._pass(Step.POWER_OFF)
        await self._orders.give(POWER_OFF, self._armed_and_wanted, self._check, self._why(seen, down))
        self._cooling_until_s = self._clock.monotonic() + self._policy.retry_later_s
        raise Abort("the host did not power off")

    async def _final_and_reported(self, down: Inclusion, said_at_s: float) -> None:
        self._pass(Step.FINAL)
        await self._wait_until_final(down, said_at_s)
        self._pass(Step.UPTIME)
        reported = self._duties.report_uptime("the last uptime report")
        await alongside(self._boot_loop.leaving(), reported, "own power: remember the sleep")

    def _why(self, seen: Observation, down: Inclusion) -> PowerOffDecided:
        head = (seen.finalized or seen.best).head
        awake = ", ".join(f"node {node}" for node in self._last_waker.seen_awake)
        return PowerOffDecided(
            Power.DOWN,
            None if head is None else head.number,
            utc(seen.now_s if self._observer.down_seen_since_s is None else self._observer.down_seen_since_s),
            down.block_number,
            names(GUARDS),
            [hold.holder for hold in seen.holds],
            (*self._management.wakers, *([f"{awake} (seen awake)"] if awake else [])),
        )

    def _pass(self, step: Step) -> None:
        self._step = step
        self._progress.made(ITSELF)
        self._telemetry.record(ShutdownStep(step.value))

    async def _wait_until_final(self, down: Inclusion, said_at_s: float) -> None:
        while True:
            waited_s = self._clock.monotonic() - said_at_s
            try:
                seen = await self._still_wanted()
                finality = finality_of_down(seen, down, waited_s, self._policy)
            except PowerdError as error:
                finality = Finality.PENDING
                self._telemetry.record(OperationFailed("waiting for finality", str(error), self._policy.follow_up_s))
            if finality is Finality.FINAL:
                return
            if finality is Finality.UNDONE:
                raise DownNotFinal("a reorganisation took our state Down back")
            if waited_s >= self._policy.final_deadline_s:
                raise DownNotFinal(f"our state Down was not final after {waited_s:.0f} s")
            await self._clock.sleep(self._policy.follow_up_s)

    async def _still_wanted(self) -> Observation:
        """Observe again; raises `Abort` when a guard objects, or the target is Up."""
        seen = await self._observer.observe()
        self._look, self._last_seen = Look(seen, self._clock.monotonic()), seen.best
        match decide(seen, self._observer.limits):
            case ShutDown():
                return seen
            case StayUp(_, reason):
                raise Abort(reason)
            case _:
                raise Abort("the target turned Up")

    async def _fresh(self, seen: Observation) -> Observation:
        """Look again if what went on beside the look outlived it, such as a disk that hangs.

        Meanwhile a program may have placed its hold, and the target may have turned Up.
        """
        look = self._look
        if look is not None and self._clock.monotonic() - look.ended_at_s <= FRESH_S:
            return seen
        return await self._still_wanted()

    async def _armed_and_wanted(self) -> None:
        """The orders are many minutes apart: another program may have disarmed the card meanwhile."""
        await self._arm()
        await self._fresh(await self._wakeable_and_wanted())

    async def _wakeable_and_wanted(self, *, said_down: bool = True) -> Observation:
        """Right after the arming: a look, and beside it a check that the chain has the armed card's address."""
        address = self._management.check_address(said_down=said_down)
        return await alongside(address, self._still_wanted(), "own power: check the address")

    async def _arm(self) -> None:
        """Arm before each order: another program may have disarmed the card. Only a look after the arming counts."""
        await self._management.arm()
        self._armed, self._look = True, None

    def _check(self) -> None:
        """See `app.domain.rules.invariants`. Each order needs an arming of its own, and a look after it."""
        check_power_off(self._look, self._clock.monotonic(), armed=self._armed, down_is_final=self._down_is_final)
        self._armed = False

    async def _stay(self) -> None:
        """The machine stays up: undo what was prepared for its sleep."""
        await self._management.staying()
        await self._proof.staying()
        await self._management.alarm.clear()

    async def _abort(self, reason: str, last: OwnPower) -> None:
        self._telemetry.record(ShutdownAborted(self._step.value, reason))
        await self._stay()
        await self._state.window.note(last)
        check_up(ordered=self._orders.ordered)
        await self._state.take_back()

    async def _take_back(self) -> None:
        """Send Up without waiting, unless the host is already going down: the daemon is being stopped."""
        if not self._orders.ordered:
            await self._state.announce_up()
            await self._stay()
