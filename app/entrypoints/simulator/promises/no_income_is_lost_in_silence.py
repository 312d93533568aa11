"""Where a running node is not paid, or the chain says something wrong of it, its fault board says so (R13, R15)."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.faults import FaultKind
from app.domain.model import NodeId
from app.domain.rules.uptime import UptimePolicy
from app.entrypoints.simulator.watching.promise import UptimeReports
from app.entrypoints.simulator.world.machine import Machine
from app.entrypoints.simulator.world.world import World

SHOWN_S = 120.0
"""A report may be on its way into a block at the deadline, and this promise looks only every minute."""

WRONG_STATE_S = 900.0
"""A lost extrinsic shows at the next round (330 s), an attempt takes a minute, and the fault has 3 min of patience."""

UPTIME_FAULT = FaultKind.UPTIME.key()
STATE_FAULTS = frozenset({FaultKind.OWN_POWER.key(), FaultKind.POWER_OFF.key()})


class NoIncomeIsLostInSilence(UptimeReports):
    """Excuses nothing but a daemon that has only just started: whatever is in the way, a fault says so."""

    text = (
        "a running node has a fault that says so when the chain took no uptime from it for 41 minutes (10 after the "
        "daemon's start), or calls it Down for 15"
    )

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._policy: UptimePolicy = world.policies.uptime
        self._down_since_s: dict[NodeId, float] = {}

    def minute(self, running: Mapping[NodeId, Machine]) -> None:
        now_s, newest = self.world.now_s(), self.world.ledger.store.newest("NodePower")
        down: set[NodeId] = set()
        for node, machine in running.items():
            if machine.services is not None:
                self._look_at_uptime(node, machine, now_s)
                if (power := newest.get(node)) is not None and power.down_since is not None:
                    down.add(node)
        for node in self._down_since_s.keys() - down:
            del self._down_since_s[node]
        for node in sorted(down):
            self._look_at_state(node, running[node])

    def _look_at_uptime(self, node: NodeId, machine: Machine, now_s: float) -> None:
        started_s = machine.daemon_since_s
        reported_s = self.reported_s.get(node, -1.0)
        allowed_s = self._policy.silence_s if reported_s >= started_s else self._policy.first_silence_s
        silent_s = now_s - max(reported_s, started_s)
        if silent_s > allowed_s + SHOWN_S and UPTIME_FAULT not in _shown(machine):
            self.broken(machine, f"no uptime was taken for {silent_s:.0f} s, and no fault says so")
            self.reported_s[node] = now_s

    def _look_at_state(self, node: NodeId, machine: Machine) -> None:
        now_s = self.world.now_s()
        if _shuts_down(machine):
            self._down_since_s.pop(node, None)
            return
        down_s = now_s - max(self._down_since_s.setdefault(node, now_s), machine.daemon_since_s)
        if down_s > WRONG_STATE_S and STATE_FAULTS.isdisjoint(_shown(machine)):
            self.broken(machine, f"runs, is Down on chain for {down_s:.0f} s, and no fault says so")
            self._down_since_s[node] = now_s


def _shown(machine: Machine) -> set[str]:
    return set() if machine.services is None else {fault.key for fault in machine.services.context.faults.faults}


def _shuts_down(machine: Machine) -> bool:
    return machine.services is not None and bool(machine.services.shutdown.step)
