"""What the chain says about this node's own power state, kept true (R3)."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.errors import ChainUnavailable, ExtrinsicFailed, ExtrinsicRefused, PowerdError, StatePaused
from app.domain.events import PowerStateSet
from app.domain.model import HeadKind, Inclusion, Power, Unreadable
from app.domain.services.context.node_context import NodeContext
from app.domain.services.own_power.power_management import PowerManagement
from app.domain.services.reporting.fee_pace import FeePace
from app.ports.chain import Chain


class OwnState:
    """Compares before it submits, so that no extrinsic is sent that changes nothing."""

    def __init__(
        self,
        context: NodeContext,
        chain: Chain,
        management: PowerManagement,
        paces: Mapping[Power, FeePace],
    ) -> None:
        self._chain = chain
        self._node = context.node.node
        self._management = management
        self._telemetry = context.telemetry
        self._paces = paces
        self._uncertain = False

    @property
    def uncertain(self) -> bool:
        """Whether an extrinsic of ours may still land that says something else than the chain does now."""
        return self._uncertain

    def paused(self, power: Power) -> str:
        """Why this state is not sent now though it is wanted, or empty: the chain did not take it, at a fee (R15)."""
        reason = self._paces[power].paused
        return (
            reason and f"the chain did not take this node's state {power.value}, and is not asked again yet: {reason}"
        )

    async def set(self, wanted: Power) -> Inclusion | None:
        """Report Up or Down; Up when power management is not enabled. None when the chain says so already.

        Down carries a block number on chain, so two Downs are equal here. After an extrinsic whose
        fate is unknown the comparison can't be trusted (it may still land): then it is submitted,
        and the nonce puts it behind the lost one. Raises `StatePaused` while it has to wait.
        """
        if not self._management.enabled:
            wanted = Power.UP
        if not self._uncertain and await self._current() is wanted:
            return None
        if paused := self.paused(wanted):
            raise StatePaused(paused)
        try:
            inclusion = await self._submit(wanted)
        except (PowerdError, TimeoutError) as error:
            self._paces[wanted].failed(error)
            raise
        self._paces[wanted].succeeded()
        self._telemetry.record(PowerStateSet(wanted, inclusion))
        return inclusion

    async def _submit(self, wanted: Power) -> Inclusion:
        before, self._uncertain = self._uncertain, True
        try:
            inclusion = await self._chain.set_power_state(wanted)
        except (ChainUnavailable, ExtrinsicRefused):
            # This one never will land; an earlier one of unknown fate still may.
            self._uncertain = before
            raise
        except ExtrinsicFailed:
            self._uncertain = False
            raise
        self._uncertain = False
        return inclusion

    async def _current(self) -> Power:
        reading = await self._chain.powers([self._node], HeadKind.BEST)
        power = reading.powers[self._node]
        if isinstance(power, Unreadable):
            raise ChainUnavailable(f"the chain's answer about node {self._node} is broken: {power.reason}")
        return power.state.power
