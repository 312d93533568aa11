"""The guards of this machine and its farm that can object to a power-off, besides the chain's answer."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.errors import HoldsUnreadable
from app.domain.model import Hold
from app.domain.services.own_power.boot_loop import BootLoopGuard
from app.domain.services.own_power.last_waker import LastWaker
from app.domain.services.own_power.power_management import PowerManagement
from app.domain.services.own_power.wake_proof import WakeProof
from app.ports.holds import Holds


@dataclass(frozen=True, slots=True)
class OwnGuards:
    """The services with a say; `Observer` asks them at each look."""

    management: PowerManagement
    boot_loop: BootLoopGuard
    last_waker: LastWaker
    holds: Holds
    proof: WakeProof

    async def read_holds(self) -> tuple[tuple[Hold, ...], str]:
        """The holds, and why they can't be read (empty if they can)."""
        try:
            return tuple(await self.holds.active()), ""
        except HoldsUnreadable as error:
            return (), str(error)
