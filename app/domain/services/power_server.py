"""The heart of the daemon: keeps this node's power in step with the chain, and wakes its peers.

The names are those of the specification; wakes, the shutdown sequence, events and uptime have
services of their own.
"""

from __future__ import annotations

import asyncio

from app.domain.commands import LookAgain, PowerCommand, ShutDown, StayInDoubt, StayUp
from app.domain.errors import PowerdError, StatePaused
from app.domain.events import PowerTargetChanged, PowerUnreadable, Setback, StayingUp
from app.domain.figures import without_figures
from app.domain.model import NodeId, NodePower, Power
from app.domain.power_rules import Observation, PowerLimits, decide
from app.domain.services.aborted_sleep import AbortedSleep
from app.domain.services.clock_alarm import ClockAlarm
from app.domain.services.event_handler import EventHandler
from app.domain.services.event_reader import EventReader
from app.domain.services.farm_look import FarmLook
from app.domain.services.observer import Observer
from app.domain.services.open_window import OpenWindow
from app.domain.services.own_state import OwnState
from app.domain.services.power_management import PowerManagement
from app.domain.services.reconciler import Reconciler
from app.domain.services.shutdown import Shutdown
from app.domain.services.trigger import Trigger
from app.domain.services.uptime import Uptime
from app.domain.services.wake import WakeService
from app.ports.clock import Clock
from app.ports.telemetry import Telemetry


class PowerServer:
    """Runs until cancelled. It never exits for a neighbour that is away."""

    def __init__(
        self,
        reader: EventReader,
        handler: EventHandler,
        farm_look: FarmLook,
        observer: Observer,
        own_state: OwnState,
        management: PowerManagement,
        uptime: Uptime,
        wakes: WakeService,
        shutdown: Shutdown,
        window: OpenWindow,
        aborted: AbortedSleep,
        alarm: ClockAlarm,
        reconciler: Reconciler,
        farm_reconciler: Reconciler,
        own_trigger: Trigger,
        farm_trigger: Trigger,
        clock: Clock,
        telemetry: Telemetry,
        limits: PowerLimits,
        *,
        first_report_wait_s: float = 60.0,
    ) -> None:
        self._reader = reader
        self._handler = handler
        self._farm_look = farm_look
        self._observer = observer
        self._own_state = own_state
        self._management = management
        self._uptime = uptime
        self._wakes = wakes
        self._shutdown = shutdown
        self._window = window
        self._aborted = aborted
        self._alarm = alarm
        self._reconciler = reconciler
        self._farm_reconciler = farm_reconciler
        self._own_trigger = own_trigger
        self._farm_trigger = farm_trigger
        self._clock = clock
        self._telemetry = telemetry
        self._limits = limits
        self._first_report_wait_s = first_report_wait_s
        self.staying_up = ""
        """Why the node stays up against its target, or without knowing it; empty when it does not."""

    async def start(self) -> None:
        """Run everything; returns only by cancellation, or by a bug in one of the tasks."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._uptime.run(), name="uptime")
            group.create_task(self._wakes.run(), name="wakes")
            group.create_task(self._handler.run(), name="event handler")
            group.create_task(self.events(), name="events")
            group.create_task(
                self._farm_reconciler.keep("the farm", self.sync_farm, self._farm_trigger), name="reconcile farm"
            )
            group.create_task(self._keep_self(), name="reconcile self")

    async def event(self, event: PowerTargetChanged) -> None:
        """Handle one event: look at its node on the chain now, and act on what stands there."""
        await self._handler.look_at([event.node], hinted=True)

    async def events(self) -> None:
        """Read the event stream, and begin anew with backoff whenever that fails."""
        await self._reader.run()

    async def recv(self) -> None:
        """Put what the stream delivers before the event handler; ends only by an error or cancellation."""
        await self._reader.recv()

    def power_up(self, node: NodeId, reason: str) -> None:
        """Wake a node of the farm by Wake-on-LAN, until the chain shows it Up or not wanted up."""
        self._wakes.request(node, reason)

    async def set_node_power_state(self, *, up: bool) -> None:
        """Report Up or Down on chain, if it does not say so already; Up when not enabled (R3)."""
        inclusion = await self._own_state.set(Power.UP if up else Power.DOWN)
        if up:
            await self._window.said_up(inclusion)

    async def sync_self(self) -> PowerCommand:
        """Compare target and state of this node, and act on the difference (R4); returns what was decided."""
        await self._management.check()
        seen = await self._observer.observe(cooling_down=self._shutdown.cooling_down)
        self._wakes.on_own_power(seen.best.power)
        await self._window.saw(seen.best)
        command = decide(seen, self._limits)
        self._tell(command)
        if isinstance(command, ShutDown):
            try:
                if not _says_down(seen) and (paused := self._own_state.paused(Power.DOWN)):
                    raise StatePaused(paused)
                await self.shutdown(seen)
            except PowerdError:
                self._aborted.tell_of_abort()
                raise
            self._aborted.tell_of_abort()
            return StayUp("the shutdown was aborted", LookAgain.SOON)
        if self._must_say_up(seen):
            try:
                await self.set_node_power_state(up=True)
            except PowerdError:
                await self._aborted.look(seen)  # a reboot is paid all the same
                raise
        again = await self._aborted.look(seen)
        if again is LookAgain.NEXT_ROUND or isinstance(command, StayUp):
            return command
        return StayUp("a reboot is due", again)

    async def shutdown(self, seen: Observation) -> None:
        """Power the node off, step by step (R5); returns if that was aborted."""
        await self._shutdown.run(seen)

    async def sync_farm(self) -> None:
        """Look at all peers: wake those that are wanted up and are not."""
        await self._farm_look.look()

    async def _keep_self(self) -> None:
        """The first report goes first, but a chain that takes none does not hold us up for long (R8)."""
        await self._alarm.clear()  # it may be that of the last sleep
        await self._window.recall()
        if self._window.window is not None and not self._window.booted:
            self._aborted.tell()
        try:
            async with self._clock.timeout(self._first_report_wait_s):
                await self._uptime.answered_once.wait()
        except TimeoutError:
            reason = f"none was taken within {self._first_report_wait_s:.0f} s"
            self._telemetry.happened(Setback("the first uptime report", reason, 0.0))
        await self._reconciler.keep("itself", self.sync_self, self._own_trigger)

    def _must_say_up(self, seen: Observation) -> bool:
        return _says_down(seen) or self._own_state.uncertain

    def _tell(self, command: PowerCommand) -> None:
        """A reason whose figures alone changed (an age, a block's number) counts as the same one."""
        reason = command.reason if isinstance(command, StayUp) else ""
        if reason and without_figures(reason) != without_figures(self.staying_up):
            in_doubt = isinstance(command, StayInDoubt)
            self._telemetry.happened(PowerUnreadable(reason) if in_doubt else StayingUp(reason))
        self.staying_up = reason
        if not isinstance(command, StayUp | ShutDown):
            self._shutdown.not_wanted()


def _says_down(seen: Observation) -> bool:
    power = seen.best.power
    return isinstance(power, NodePower) and power.state.power is Power.DOWN
