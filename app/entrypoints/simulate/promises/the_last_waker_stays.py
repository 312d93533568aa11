"""With the guard on, no machine powers off that leaves its farm without anybody awake."""

from __future__ import annotations

from app.entrypoints.simulate.machine import Machine, MachinePower
from app.entrypoints.simulate.promise import Promise

JUST_DARK_S = 600.0
"""Beyond the time for which a sign of life counts: the look at the counters may be as old as that."""


class TheLastWakerStays(Promise):
    """Looks at the others when the host obeys."""

    text = "with the last-waker guard nobody powers off unless another node of the farm is awake"

    def powered_off(self, machine: Machine) -> None:
        """Who else is there?"""
        management = self.world.settings.power_management
        if not management.last_waker_guard:
            return
        allowed_s = management.sign_of_life_s + JUST_DARK_S
        others = [other for other in self.world.farms[machine.identity.farm].machines if other is not machine]
        if not any(
            other.power is MachinePower.RUNNING or self.world.now_s() - other.since_s < allowed_s for other in others
        ):
            self.broken(machine, "powered off, and nobody of its farm has been awake for an hour")
