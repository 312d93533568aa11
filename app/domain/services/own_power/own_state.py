"""Keeps this node's power state on chain true, and remembers what a Down means for its income (R3, R13)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from app.domain.errors import (
    ChainUnavailable,
    ExtrinsicFailed,
    ExtrinsicRefused,
    ExtrinsicUncertain,
    FeePause,
    PowerdError,
)
from app.domain.events import OperationFailed, PowerStateSet
from app.domain.model import HeadKind, Inclusion, Power, Unreadable
from app.domain.rules.invariants import check_down
from app.domain.rules.power import Observation, OwnPower
from app.domain.rules.shutdown import already_final, is_down
from app.domain.services.context.alongside import alongside
from app.domain.services.context.node_context import NodeContext
from app.domain.services.own_power.open_window import OpenWindow
from app.domain.services.own_power.power_management import PowerManagement
from app.domain.services.reporting.fee_pace import FeePace
from app.ports.chain import Chain

REMEMBER_S = 1.0
"""A stop of the daemon waits this long at most for a disk."""


class OwnState:
    """Compares before it submits, so that it sends no extrinsic without effect."""

    def __init__(
        self,
        context: NodeContext,
        chain: Chain,
        management: PowerManagement,
        window: OpenWindow,
        paces: Mapping[Power, FeePace],
        *,
        announce_s: float,
    ) -> None:
        self._chain = chain
        self._clock = context.clock
        self._node = context.node.node
        self._management = management
        self._telemetry = context.telemetry
        self._paces = paces
        self._announce_s = announce_s
        self.uncertain = False
        """Whether an extrinsic of ours may still be included, and change the state on chain."""
        self._may_be_down = False
        self._intended = False
        """Whether it is saved that Down is about to be sent."""
        self._included: Inclusion | None = None
        self.window = window

    def paused(self, power: Power) -> str:
        """Why this state is not sent now: the chain refused it at a fee (R15). Empty when it can be sent."""
        reason = self._paces[power].paused
        return (
            reason
            and f"the chain did not take this node's state {power.value}; powerd waits before it tries again: {reason}"
        )

    async def set(self, power: Power) -> None:
        """Report Up or Down, unless the chain says so already; Up when power management is not enabled."""
        inclusion = await self._report(power)
        if power is Power.UP:
            await self.window.said_up(inclusion)

    def begin(self, seen: Observation) -> None:
        """Begin a shutdown with this observation. Raises `FeePause` while Down can't be sent."""
        self._may_be_down, self._intended = is_down(seen.best.power), False
        if not self._may_be_down and (paused := self.paused(Power.DOWN)):
            raise FeePause(paused)

    async def replace_old_down(self, seen: Observation) -> None:
        """Replace a Down from before this boot by Up, so that the next Down opens a window.

        If this boot was requested, its report closed the window, and only a state that turns Down opens the next one.
        Without a window a sleep earns nothing, and the next target Up stops all credit (docs/minting.md).
        """
        if is_down(seen.best.power) and self.window.booted:
            await self._report(Power.UP)

    async def intend_down(
        self,
        look: Coroutine[Any, Any, Observation],
        fresh: Callable[[Observation], Awaitable[Observation]],
    ) -> Observation:
        """Save beside the last look that Down is about to be sent; forget it again if the look forbids that.

        ``fresh`` looks again when the look has grown old meanwhile.

        Where the chain may say Down already, `say_down` saves it, if it sends anything at all.
        """
        if self._may_be_down:
            return await fresh(await look)
        try:
            seen = await fresh(await alongside(self.window.saying_down(), look, "own power: save that Down comes"))
        except Exception:
            await self.window.not_said()
            raise
        self._intended = True
        return seen

    async def say_down(self, seen: Observation) -> Inclusion:
        """Send Down; returns the block that must become final. `remember_down` must follow at once."""
        check_down(seen, enabled=self._management.enabled)
        self._may_be_down, self._included = True, None
        final = seen.finalized
        if not self._intended:
            if already_final(seen) and final is not None and final.head is not None:
                return Inclusion(final.head.hash, final.head.number)
            await self.window.saying_down()
        self._intended = False
        try:
            inclusion = await self._report(Power.DOWN, seen.best)
        except ExtrinsicUncertain:
            await self.window.may_be_said()
            raise
        except PowerdError:
            await self.window.not_said()
            raise
        if inclusion is not None:
            self._included = inclusion
            return inclusion
        await self.window.may_be_said()
        # The chain says Down since an earlier run: what its best head shows now must become final.
        head = seen.best.head
        return Inclusion("", None) if head is None else Inclusion(head.hash, head.number)

    async def remember_down(self) -> None:
        """Save the block of the Down that was just included."""
        if self._included is not None:
            await self.window.said_down(self._included)

    async def take_back(self) -> None:
        """Send Up if the chain may say Down."""
        if self._may_be_down:
            await self.set(Power.UP)

    async def announce_up(self) -> None:
        """Send Up if the chain may say Down, without waiting for a block: the daemon is being stopped."""
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

    # -- the extrinsic ---------------------------------------------------------------------------------
    async def _report(self, wanted: Power, seen: OwnPower | None = None) -> Inclusion | None:
        """Report Up or Down; Up when power management is not enabled. None when the chain says so already.

        ``seen`` is what the chain said a moment ago; None: it is read.

        Down carries a block number on chain, so two Downs are equal here. After an extrinsic whose
        fate is unknown the comparison can't be trusted (it may still be included): then the state is submitted,
        and its nonce puts it behind the lost one. Raises `FeePause` while it must wait.
        """
        if not self._management.enabled:
            wanted = Power.UP
        if not self.uncertain and await self._current(seen) is wanted:
            return None
        if paused := self.paused(wanted):
            raise FeePause(paused)
        try:
            inclusion = await self._submit(wanted)
        except (PowerdError, TimeoutError) as error:
            self._paces[wanted].failed(error)
            raise
        self._paces[wanted].succeeded()
        self._telemetry.record(PowerStateSet(wanted, inclusion))
        return inclusion

    async def _submit(self, wanted: Power) -> Inclusion:
        before, self.uncertain = self.uncertain, True
        try:
            inclusion = await self._chain.set_power_state(wanted)
        except (ChainUnavailable, ExtrinsicRefused):
            # This one will never be included; an earlier one of unknown fate still may.
            self.uncertain = before
            raise
        except ExtrinsicFailed:
            self.uncertain = False
            raise
        self.uncertain = False
        return inclusion

    async def _current(self, seen: OwnPower | None) -> Power:
        power = seen.power if seen else (await self._chain.powers([self._node], HeadKind.BEST)).powers[self._node]
        if isinstance(power, Unreadable):
            raise ChainUnavailable(f"the chain's answer about node {self._node} is broken: {power.reason}")
        return power.state.power
