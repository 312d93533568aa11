"""No machine is powered off that could not be woken again, or whose power management is off."""

from __future__ import annotations

from app.entrypoints.simulate.machine import Machine
from app.entrypoints.simulate.promise import Promise

JUST_NOW_S = 30.0
"""A card that is disarmed right after it was looked at can't be helped."""


class NeverOffWhenNotEnabled(Promise):
    """Looks at the card and at the daemon's own verdict when the host obeys."""

    text = "never powered off when power management is not enabled, or with a card that is not armed"

    def powered_off(self, machine: Machine) -> None:
        """Could it be woken?"""
        if not self.world.policies.power_off_allowed:
            self.broken(machine, "powered off although the settings forbid it")
        elif not machine.armed and not self._just_now(machine):
            self.broken(machine, "powered off with a card that is not armed")

    @staticmethod
    def _just_now(machine: Machine) -> bool:
        missing_s = machine.suffering_s("card-missing")
        return machine.troubles.lately(("disarmed",), JUST_NOW_S) or 0 < missing_s < JUST_NOW_S
