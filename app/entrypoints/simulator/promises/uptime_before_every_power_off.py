"""Uptime is reported right before every power-off."""

from __future__ import annotations

from app.entrypoints.simulator.watching.promise import UptimeReports
from app.entrypoints.simulator.world.fault_history import CHAIN, HOST
from app.entrypoints.simulator.world.machine import Machine

BEFORE_S = 300.0
EXCUSED_S = 600.0


class UptimeBeforeEveryPowerOff(UptimeReports):
    """Looks at the last report when the host obeys."""

    text = "uptime was reported before every power-off, unless the chain was away"

    def powered_off(self, machine: Machine) -> None:
        ago_s = self.world.now_s() - self.reported_s.get(machine.identity.node, float("-inf"))
        # A host that disobeyed for a while powers off long after the last report.
        excused = machine.fault_history.lately((*CHAIN, "unhealthy", "clock-drift"), EXCUSED_S)
        if ago_s > BEFORE_S and not excused and not machine.fault_history.lately(HOST, 3600.0):
            self.broken(machine, f"powered off {ago_s:.0f} s after its last uptime report")
