"""No machine is powered off that could not be woken again, or whose power management is off (R14)."""

from __future__ import annotations

from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.world.machine import Machine

JUST_NOW_S = 30.0
"""powerd can't see that a card is disarmed right after its look."""


LATELY_S = 600.0
"""If a record changes after Down is on chain, powerd sees it before the power-off, if it can read the chain then."""


class NeverOffWhenNotEnabled(Promise):
    """Looks at the card and at the daemon's own verdict when the host obeys."""

    text = "never powered off when power management is not enabled, or unarmed, or with another MAC on chain"

    def powered_off(self, machine: Machine) -> None:
        if not self.world.policies.power_off_allowed:
            self.broken(machine, "powered off although the settings forbid it")
        elif not machine.armed and not self._just_now(machine):
            self.broken(machine, "powered off with a card that is not armed")
        elif not self._known(machine) and not 0 < machine.has_condition_for_s("wrong-mac") < LATELY_S:
            self.broken(machine, "powered off, and the chain has another MAC than its card")

    def _known(self, machine: Machine) -> bool:
        record = self.world.ledger.read("Nodes", machine.identity.node)
        return any(interface["mac"].lower() == str(machine.mac) for interface in record["interfaces"])

    @staticmethod
    def _just_now(machine: Machine) -> bool:
        missing_s = machine.has_condition_for_s("card-missing")
        return machine.fault_history.lately(("disarmed",), JUST_NOW_S) or 0 < missing_s < JUST_NOW_S
