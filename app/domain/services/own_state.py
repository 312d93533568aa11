"""What the chain says about this node's own power state, kept true (R3)."""

from __future__ import annotations

from app.domain.errors import ChainUnavailable, ExtrinsicFailed, ExtrinsicRefused
from app.domain.events import PowerStateSet
from app.domain.model import HeadKind, Inclusion, NodeId, Power, Unreadable
from app.domain.services.power_management import PowerManagement
from app.ports.chain import Chain
from app.ports.telemetry import Telemetry


class OwnState:
    """Compares before it submits, so that no extrinsic is sent that changes nothing."""

    def __init__(self, chain: Chain, node: NodeId, management: PowerManagement, telemetry: Telemetry) -> None:
        self._chain = chain
        self._node = node
        self._management = management
        self._telemetry = telemetry
        self._uncertain = False

    @property
    def uncertain(self) -> bool:
        """Whether an extrinsic of ours may still land that says something else than the chain does now."""
        return self._uncertain

    async def set(self, wanted: Power) -> Inclusion | None:
        """Report Up or Down; Up when power management is not enabled. None when the chain says so already.

        Down carries a block number on chain, so two Downs are equal here. After an extrinsic whose
        fate is unknown the comparison can't be trusted (it may still land): then it is submitted,
        and the nonce puts it behind the lost one.
        """
        if not self._management.enabled:
            wanted = Power.UP
        if not self._uncertain and await self._current() is wanted:
            return None
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
        self._telemetry.happened(PowerStateSet(wanted, inclusion))
        return inclusion

    async def _current(self) -> Power:
        reading = await self._chain.powers([self._node], HeadKind.BEST)
        power = reading.powers[self._node]
        if isinstance(power, Unreadable):
            raise ChainUnavailable(f"the chain's answer about node {self._node} is broken: {power.reason}")
        return power.state.power
