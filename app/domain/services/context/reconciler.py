"""Looks at the chain regularly as well as on demand, so that a lost event costs only time (R2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.domain.backoff import spread
from app.domain.commands import Guard, LookAgain, PowerCommand, StayUp
from app.domain.errors import PowerdError
from app.domain.events import OperationFailed, Reconciled
from app.domain.measurements import LookSucceeded
from app.domain.model import Head, HeadKind
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.retry import Work
from app.domain.services.context.trigger import Trigger
from app.domain.values import value
from app.ports.chain import ChainReader

FOLLOW_UPS = {LookAgain.SOON: 1, LookAgain.IN_A_WHILE: 15}
"""The pause, in multiples of ``follow_up_s``: a hold can last for hours, and each look reads the chain."""


@value
class ReconcilePolicy:
    """Pace of looking at the chain; seconds.

    ``follow_up_s`` is how often a node in doubt asks for a new finalized head. While looks fail, no event
    brings the next one sooner than after ``after_failure_s_min``.
    """

    interval_s: float
    jitter: float
    follow_up_s: float
    after_failure_s_min: float = 2.0


class Reconciler:
    """Runs one look after the other. Triggers during a look cause one more look, however many they are."""

    def __init__(
        self,
        context: NodeContext,
        chain: ChainReader,
        policy: ReconcilePolicy,
        work: Work,
    ) -> None:
        self.trigger = Trigger(context.clock)
        """Asks for another look."""
        self._chain = chain
        self._clock = context.clock
        self._telemetry = context.telemetry
        self._policy = policy
        self._jitter = context.jitter
        self._progress = context.progress
        self._retry = context.retry(work)

    async def keep(self, what: str, look: Callable[[], Awaitable[PowerCommand | None]]) -> None:
        """Look for ever; the command that ``look`` returns decides when the next look is due.

        Looks that fail for minutes are a fault (R15).
        """
        reason, succeeded = "start", LookSucceeded(what)
        while True:
            self._progress.made(what)
            try:
                command = await look()
            except PowerdError as error:
                retry_in_s = self._retry.failed(str(error))
                self._progress.made(what, waits_s=retry_in_s)
                reason = await self._after_failure(retry_in_s)
            else:
                if isinstance(command, StayUp) and command.guard is Guard.UNREADABLE:
                    self._retry.still_failing(command.reason)
                else:
                    self._retry.succeeded()
                self._telemetry.record(Reconciled(f"{what}: {reason}"))
                self._telemetry.measure(succeeded)
                reason = await self._until_next(what, command)

    async def _after_failure(self, retry_in_s: float) -> str:
        """Wait for an event or the end of the pause; many events in a row do not cause as many looks."""
        at_least_s = min(retry_in_s, self._policy.after_failure_s_min)
        await self._clock.sleep(at_least_s)
        return await self.trigger.wait(retry_in_s - at_least_s) or "retry"

    async def _until_next(self, what: str, command: PowerCommand | None) -> str:
        interval_s = spread(self._policy.interval_s, self._policy.jitter, self._jitter)
        again = command.look_again if isinstance(command, StayUp) else LookAgain.NEXT_ROUND
        if again in FOLLOW_UPS:
            wait_s = min(self._policy.follow_up_s * FOLLOW_UPS[again], interval_s)
            self._progress.made(what, waits_s=wait_s)
            return await self.trigger.wait(wait_s) or "follow-up"
        self._progress.made(what, waits_s=interval_s)
        if again is LookAgain.NEXT_FINALIZED_HEAD:
            return await self._until_finalized_moves(interval_s)
        return await self.trigger.wait(interval_s) or "clock"

    async def _until_finalized_moves(self, interval_s: float) -> str:
        end_s = self._clock.monotonic() + interval_s
        before = await self._finalized()
        while self._clock.monotonic() < end_s:
            reason = await self.trigger.wait(self._policy.follow_up_s)
            if reason:
                return reason
            head = await self._finalized()
            if head is not None and (before is None or (head.number, head.time_s) != (before.number, before.time_s)):
                return "new finalized head"
        return "clock"

    async def _finalized(self) -> Head | None:
        try:
            return await self._chain.head(HeadKind.FINALIZED)
        except PowerdError as error:
            self._telemetry.record(OperationFailed("reading the finalized head", str(error), self._policy.follow_up_s))
            return None
