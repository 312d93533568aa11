"""Which faults go on at the same time and turn the same switch, so that the end of one does not end the others."""

from __future__ import annotations

from collections import defaultdict

from app.entrypoints.simulator.plan.plan import FaultPlan


class ActiveFaults:
    """Of each switch the amounts that are wanted now."""

    def __init__(self) -> None:
        self._faults: defaultdict[str, list[FaultPlan]] = defaultdict(list)

    def add(self, switch: str, fault: FaultPlan) -> list[float]:
        """It begins; the amounts of all."""
        self._faults[switch].append(fault)
        return [each.amount for each in self._faults[switch]]

    def remove(self, switch: str, fault: FaultPlan) -> list[float]:
        """It is over; the amounts of those that go on."""
        self._faults[switch].remove(fault)
        return [each.amount for each in self._faults[switch]]
