"""Which faults go on at the same time and turn the same switch, so that the end of one does not end the others."""

from __future__ import annotations

from collections import defaultdict

from app.entrypoints.simulator.plan.plan import FaultPlan


class ActiveFaults:
    """For each switch, the amounts that active faults ask for."""

    def __init__(self) -> None:
        self._faults: defaultdict[str, list[FaultPlan]] = defaultdict(list)

    def add(self, switch: str, fault: FaultPlan) -> list[float]:
        """Add a fault that begins; returns the amounts of all active ones."""
        self._faults[switch].append(fault)
        return [each.amount for each in self._faults[switch]]

    def remove(self, switch: str, fault: FaultPlan) -> list[float]:
        """Remove a fault that is over; returns the amounts of the remaining ones."""
        self._faults[switch].remove(fault)
        return [each.amount for each in self._faults[switch]]
