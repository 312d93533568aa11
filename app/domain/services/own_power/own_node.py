"""Keeps this node's own power in step with the chain: looks, decides, and carries out the decision (R4)."""

from __future__ import annotations

from app.domain.commands import Guard, LookAgain, PowerCommand, ReportUp, ShutDown, StayUp
from app.domain.errors import PowerdError
from app.domain.events import PowerUnreadable, StayingUp
from app.domain.faults import FaultKind
from app.domain.figures import differ
from app.domain.model import Power
from app.domain.rules.paid import DownWindow
from app.domain.rules.power import Observation, decide
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.progress import ITSELF
from app.domain.services.context.reconciler import Reconciler
from app.domain.services.context.retry import Work
from app.domain.services.own_power.aborted_sleep import AbortedSleep
from app.domain.services.own_power.observer import Observer
from app.domain.services.own_power.own_state import OwnState
from app.domain.services.own_power.shutdown import Shutdown

SYNC_SELF = Work(
    "bringing this node in step with the chain",
    FaultKind.OWN_POWER.key(),
    "until then it stays as it is, whatever its target; if the chain can't be read, check that one of chain.urls (with "
    "profile zos: api-gateway) answers",
    patience_s=180.0,
)
"""Several looks must fail before it is a fault: the longest pause between two is 75 s."""


class OwnNode:
    """Carries out each command of `app.domain.rules.power` in one place."""

    def __init__(
        self,
        context: NodeContext,
        observer: Observer,
        state: OwnState,
        shutdown: Shutdown,
        aborted: AbortedSleep,
        loop: Reconciler,
    ) -> None:
        self._telemetry = context.telemetry
        self._progress = context.progress
        self._observer = observer
        self.state = state
        self.shutdown = shutdown
        self._aborted = aborted
        self.loop = loop
        self.objection: StayUp | None = None
        """What keeps the node up although its target is Down or unknown; None when it obeys."""

    @property
    def window(self) -> DownWindow | None:
        """The open window of uncredited time, if there is one."""
        return self.state.window.window

    async def recover(self) -> None:
        """Clean up what an earlier process left behind; called once, before the first look."""
        self._progress.made(ITSELF)
        await self.shutdown.clear_alarm()
        await self.state.window.load()
        if self.window is not None and not self.state.window.booted:
            self._aborted.show()

    async def sync(self) -> PowerCommand:
        """Look once, and carry out the decision; returns that decision."""
        seen = await self._observer.look(
            cooling_down=self.shutdown.cooling_down, own_state_uncertain=self.state.uncertain
        )
        await self.state.window.saw(seen.best)
        command = decide(seen, self._observer.limits)
        self._record(command)
        match command:
            case ShutDown():
                return await self._shut_down(seen)
            case ReportUp() | StayUp(say_up=True):
                await self._report_up(seen)
        again = await self._aborted.look(seen)
        if again is LookAgain.NEXT_ROUND or isinstance(command, StayUp):
            return command
        return StayUp(Guard.REBOOT_DUE, "a reboot is due", again)

    async def _shut_down(self, seen: Observation) -> PowerCommand:
        try:
            await self.shutdown.run(seen)
        except PowerdError:
            self._aborted.show_abort()
            raise
        self._aborted.show_abort()
        return StayUp(Guard.ABORTED, "the shutdown was aborted", LookAgain.SOON)

    async def _report_up(self, seen: Observation) -> None:
        try:
            await self.state.set(Power.UP)
        except PowerdError:
            await self._aborted.look(seen)  # a reboot ends the loss whether or not Up is on chain
            raise

    def _record(self, command: PowerCommand) -> None:
        """Record a new reason to stay up; a change of figures alone (an age, a block's number) is none."""
        before = "" if self.objection is None else self.objection.reason
        self.objection = command if isinstance(command, StayUp) else None
        match command:
            case StayUp(guard, reason) if differ(reason, before):
                unreadable = guard is Guard.UNREADABLE
                self._telemetry.record(PowerUnreadable(reason) if unreadable else StayingUp(reason))
            case StayUp() | ShutDown():
                return
            case _:
                self.shutdown.not_wanted()
