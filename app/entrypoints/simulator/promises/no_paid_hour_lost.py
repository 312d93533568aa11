"""What powerd and its bot decide by themselves costs no credited time (R13).

`app.entrypoints.simulator.income.lost_to` says who loses each lost second: faults, holds among them, and a
farmer's script excuse what they can have caused.
"""

from __future__ import annotations

from app.entrypoints.simulator.income.lost_to import LostTo
from app.entrypoints.simulator.income.minted import Lost
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.world.machine import Machine


class NoPaidHourLost(Promise):
    """Listens to what the grid's minting does not credit, in the run's final blocks and at its end."""

    text = "each second that the grid's minting does not credit was lost to a fault or to the farmer's script"

    def lost(self, machine: Machine, lost: Lost) -> None:
        if lost.to is LostTo.POWERD:
            self.broken(machine, f"{lost.seconds} s up to {lost.until_s} s are not credited: {lost.loss.value}")
