"""No event waits for long on the stream of a daemon that can do its work."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.model import NodeId
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.world.fault_history import BUS, CHAIN
from app.entrypoints.simulator.world.machine import Machine
from app.entrypoints.simulator.world.world import World

WAITS_S_MAX = 300.0
"""The daemon reconnects every 30 s (+ 25 %), and tries again what it could not handle as often."""

EXCUSED = (*BUS, *CHAIN, "daemon-killed")


class EveryEventIsHandled(Promise):
    """Looks every minute for entries that wait."""

    text = "every event is handled within 5 minutes while bus and chain answer"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._waiting_since_s: dict[tuple[NodeId, str], float] = {}

    def minute(self, running: Mapping[NodeId, Machine]) -> None:
        """Find the machines whose entries were waiting a minute ago already."""
        now_s = self.world.now_s()
        still_waiting: dict[tuple[NodeId, str], float] = {}
        for node, machine in running.items():
            if machine.bus.stream.idle:
                continue
            excused = machine.fault_history.lately(EXCUSED, 120.0)
            for delivery in machine.bus.stream.waiting:
                entry = (node, delivery.id)
                since_s = now_s if excused else self._waiting_since_s.get(entry, now_s)
                still_waiting[entry] = self._look(machine, delivery.id, since_s)
        self._waiting_since_s = still_waiting

    def _look(self, machine: Machine, entry: str, since_s: float) -> float:
        now_s = self.world.now_s()
        if now_s - max(since_s, machine.since_s) <= WAITS_S_MAX:
            return since_s
        self.broken(machine, f"the event {entry} has been waiting for {now_s - since_s:.0f} s")
        return now_s
