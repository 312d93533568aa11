"""Says this node's state on the chain, and remembers what a Down means for its income (R3, R13)."""

from __future__ import annotations

from contextlib import suppress

from app.domain.errors import ExtrinsicUncertain, PowerdError, StatePaused
from app.domain.events import OperationFailed
from app.domain.model import Inclusion, Power
from app.domain.rules.power import Observation
from app.domain.rules.shutdown import already_final, is_down
from app.domain.services.context.node_context import NodeContext
from app.domain.services.own_power.open_window import OpenWindow
from app.domain.services.own_power.own_state import OwnState
from app.ports.chain import Chain

REMEMBER_S = 1.0
"""What the stop of the daemon waits for a disk."""


class SaidState:
    """`OwnState` and `OpenWindow` together: whatever is said is remembered."""

    def __init__(
        self, context: NodeContext, chain: Chain, state: OwnState, window: OpenWindow, *, announce_s: float
    ) -> None:
        self._clock = context.clock
        self._telemetry = context.telemetry
        self._chain = chain
        self._state = state
        self._announce_s = announce_s
        self.window = window
        self._may_be_down = False

    @property
    def uncertain(self) -> bool:
        """Whether an extrinsic of ours may still land that says something else than the chain does now."""
        return self._state.uncertain

    async def set(self, power: Power) -> None:
        """Report Up or Down, unless the chain says so already."""
        inclusion = await self._state.set(power)
        if power is Power.UP:
            await self.window.said_up(inclusion)

    def begin(self, seen: Observation) -> None:
        """A shutdown begins with this look. Raises `StatePaused` while Down can't be said."""
        self._may_be_down = is_down(seen.best.power)
        if not self._may_be_down and (paused := self._state.paused(Power.DOWN)):
            raise StatePaused(paused)

    async def leave_last_sleep(self, seen: Observation) -> None:
        """A Down of before this boot is said anew, after an Up.

        This boot may have been asked for: then its report closed the window, and only a state that turns Down
        opens the next one. Without a window a sleep earns nothing, and the next target Up makes it worse.
        """
        if is_down(seen.best.power) and self.window.booted:
            await self._state.set(Power.UP)

    async def say_down(self, seen: Observation) -> Inclusion:
        """Down, and the block that has to become final."""
        self._may_be_down = True
        final = seen.finalized
        if already_final(seen) and final is not None and final.head is not None:
            return Inclusion(final.head.hash, final.head.number)
        await self.window.saying_down()
        try:
            inclusion = await self._state.set(Power.DOWN)
        except ExtrinsicUncertain:
            await self.window.may_be_said()
            raise
        except PowerdError:
            await self.window.not_said()
            raise
        if inclusion is not None:
            await self.window.said_down(inclusion)
            return inclusion
        await self.window.may_be_said()
        # The chain says Down since an earlier run: what its best head shows now has to become final.
        head = seen.best.head
        return Inclusion("", None) if head is None else Inclusion(head.hash, head.number)

    async def take_back(self) -> None:
        """Say Up if the chain may say Down."""
        if self._may_be_down:
            await self.set(Power.UP)

    async def announce_up(self) -> None:
        """The daemon is stopped: say Up if the chain may say Down, and wait for no block."""
        if not self._may_be_down:
            return
        with suppress(TimeoutError):
            async with self._clock.timeout(REMEMBER_S):
                await self.window.may_be_said()
        try:
            async with self._clock.timeout(self._announce_s):
                await self._chain.announce_power_state(Power.UP)
        except (PowerdError, TimeoutError) as error:
            self._telemetry.record(OperationFailed("saying Up before the end", str(error), 0.0))
