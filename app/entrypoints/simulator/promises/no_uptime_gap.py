"""No healthy node that can talk to the chain lets its uptime lapse."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.model import NodeId
from app.domain.rules.uptime import GAP_S_MAX
from app.entrypoints.simulator.watching.promise import UptimeReports
from app.entrypoints.simulator.world.fault_history import CHAIN
from app.entrypoints.simulator.world.machine import Machine

EXCUSED = (*CHAIN, "unhealthy", "clock-drift", "daemon-killed")
EXCUSED_S = 400.0
"""An attempt takes 180 s at most (`UptimePolicy.report_s_max`), and the pause after it 75 s, or 100 s after five
in a row of unknown fate (`FeePolicy`): one made-up fault causes no more. The rest is for a block."""


class NoUptimeGap(UptimeReports):
    """Looks every minute at every running machine."""

    text = "no gap of more than 41 minutes between uptime reports while node and chain are healthy"

    def minute(self, running: Mapping[NodeId, Machine]) -> None:
        now_s = self.world.now_s()
        for node, machine in running.items():
            since_s = max(self.reported_s.get(node, 0.0), machine.since_s)
            if now_s - since_s > GAP_S_MAX and not machine.fault_history.lately(EXCUSED, EXCUSED_S):
                self.broken(machine, f"no uptime report for {now_s - since_s:.0f} s")
                self.reported_s[node] = now_s
