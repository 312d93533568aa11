"""No machine is powered off while the chain, finally, wants it up."""

from __future__ import annotations

from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.world.machine import Machine


class NeverOffAgainstTheTarget(Promise):
    """Looks at the finalized head at the moment when the host obeys."""

    text = "never powered off unless its finalized target is Down, and its own Down is final"

    def powered_off(self, machine: Machine) -> None:
        final = self.world.power(machine.identity.node, final=True)
        if final.target != "Down":
            self.broken(machine, "powered off while its finalized target was Up")
        elif final.down_since is None:
            self.broken(machine, "powered off before its state Down was final")
