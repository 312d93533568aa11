"""With the clock's alarm on, a machine that no node wakes comes back by itself."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.model import NodeId
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.world.machine import Machine, MachinePower
from app.entrypoints.simulator.world.world import World

LATE_S = 300.0


class NoNodeSleepsForEver(Promise):
    """Looks every minute at those that powered off in an orderly way."""

    text = "with the clock's alarm every machine that powered itself off is on again when the alarm is due"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._raised_for: set[NodeId] = set()

    @property
    def applies(self) -> bool:
        """Only runs whose settings switch the alarm on."""
        return self.world.settings.rtc_alarm.enabled

    def minute(self, running: Mapping[NodeId, Machine]) -> None:  # noqa: ARG002
        alarm = self.world.settings.rtc_alarm
        for node, machine in self.world.machines.items():
            if machine.power is not MachinePower.OFF:
                self._raised_for.discard(node)
            elif (
                machine.powered_itself_off
                and node not in self._raised_for
                and not machine.has_condition("no-mains")
                and self.world.now_s() - machine.since_s > alarm.ahead_s + LATE_S
            ):
                self._raised_for.add(node)
                self.broken(machine, f"dark for more than {alarm.ahead_s} s, and its alarm did not wake it")
