"""No machine is powered off while a hold keeps it up."""

from __future__ import annotations

from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.world.machine import Machine

JUST_NOW_S = 1.0
"""A hold that is placed at the moment of the order comes too late: powerd reads holds last, right before the order."""


class NeverOffUnderAHold(Promise):
    """Looks at the holds when the host obeys."""

    text = "never powered off under a hold"

    def powered_off(self, machine: Machine) -> None:
        held_s = max(machine.has_condition_for_s("held"), machine.held_until_for_s())
        if held_s > JUST_NOW_S:
            self.broken(machine, f"powered off although held for {held_s:.0f} s")
