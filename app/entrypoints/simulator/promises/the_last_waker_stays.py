"""With the guard on, no machine powers off that leaves its farm without a node awake."""

from __future__ import annotations

from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.world.machine import Machine, MachinePower

SIGN_S_MAX = 2700.0
"""A program that is awake gives a sign of life every 40 min, final within 5: no setting makes an older one true."""
JUST_DARK_S = 600.0
"""Added to the time for which a sign of life counts, since the last look at the counters may be this old."""


class TheLastWakerStays(Promise):
    """Looks at the others when the host obeys."""

    text = "with the last-waker guard no node powers off unless another node of the farm is awake"

    @property
    def applies(self) -> bool:
        """Only runs whose settings switch the guard on."""
        return self.world.settings.power_management.last_waker_guard

    def powered_off(self, machine: Machine) -> None:
        allowed_s = min(self.world.settings.power_management.sign_of_life_s, SIGN_S_MAX) + JUST_DARK_S
        others = [other for other in self.world.farm.machines if other is not machine]
        if not any(self._seems_awake(other, allowed_s) for other in others):
            self.broken(machine, "powered off, and no other node of its farm is awake")

    def _seems_awake(self, machine: Machine, allowed_s: float) -> bool:
        """A node that froze or lost its power looks alive for as long as its last sign of life counts."""
        if machine.power is MachinePower.RUNNING:
            return True
        frozen = machine.power is MachinePower.FROZEN
        orderly = machine.stopping or (machine.powered_itself_off and not frozen)
        return not orderly and self.world.now_s() - machine.since_s < allowed_s
