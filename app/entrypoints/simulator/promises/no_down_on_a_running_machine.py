"""A running machine never has the state Down on chain for longer than a shutdown takes."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.model import NodeId
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.world.fault_history import CHAIN, HOST
from app.entrypoints.simulator.world.machine import Machine
from app.entrypoints.simulator.world.world import World

WINDOW_S = 600.0
"""Finality (2 min), two tries for the last uptime (2 min), bursts, inclusion of the Up that takes it back (1 min);
after a boot the first uptime report (1 min) before it."""

HOST_WINDOW_S = 3600.0
"""powerd asks a host that disobeys three times, and waits 15 min each time while the host says that it stops."""

AFTER_TROUBLE_S = 300.0
EVERY_MINUTES = 2


class NoDownOnARunningMachine(Promise):
    """Measures how long a machine runs while it is Down on chain, and while its node can reach the chain."""

    text = "no state Down on the chain of a running machine beyond 10 minutes (60 while its host disobeys)"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._since_s: dict[NodeId, float] = {}
        self._minutes = 0

    def minute(self, running: Mapping[NodeId, Machine]) -> None:
        self._minutes += 1
        if self._minutes % EVERY_MINUTES:
            return
        newest = self.world.ledger.store.newest("NodePower")
        down = {node for node in running if (power := newest.get(node)) is not None and power.down_since is not None}
        for node in self._since_s.keys() - down:
            del self._since_s[node]
        for node in sorted(down):
            self._look(node, running[node])

    def _look(self, node: NodeId, machine: Machine) -> None:
        now_s = self.world.now_s()
        if machine.fault_history.lately((*CHAIN, "daemon-killed"), AFTER_TROUBLE_S):
            self._since_s[node] = now_s
            return
        down_s = now_s - max(self._since_s.setdefault(node, now_s), machine.since_s)
        allowed_s = HOST_WINDOW_S if machine.fault_history.lately(HOST, HOST_WINDOW_S) else WINDOW_S
        if down_s > allowed_s:
            self.broken(machine, f"runs, and has been Down on chain for {down_s:.0f} s")
            self._since_s[node] = now_s
