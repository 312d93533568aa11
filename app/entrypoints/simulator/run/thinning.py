"""Which nodes a page shows where there are more of them than it can hold, in whatever order farms are added."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from app.entrypoints.simulator.run.outcome import Outcome

MARKS_MAX = 400_000
"""Some bytes each on the page: two to three megabytes in all."""

LEAST_CREDITED_MAX = 100
"""Nodes with a bar of their own on the page."""


class Timelines:
    """Timelines of nodes with troubles come first, then the others by their ids, until there are `MARKS_MAX` marks."""

    def __init__(self, thin: bool) -> None:
        self._thin = thin
        self._marks: dict[int, list[int]] = {}
        self._last_first: list[tuple[int, int]] = []
        """A heap of what is left out first when there is too much."""
        self._last_kept: tuple[int, int] = (-2, 0)
        """Everything before this one in the heap is left out."""
        self._total = 0
        self.left_out = 0
        """How many nodes."""

    def add(self, farm: Outcome) -> None:
        troubled = {violation.node for violation in farm.violations} | {each.node for each in farm.at_risk}
        troubled |= {lost.node for lost in farm.income.lost}
        for node, marks in farm.timelines.items():
            key = (-1 if node not in troubled else 0, -node)
            if self._thin and key <= self._last_kept:
                self.left_out += 1
                continue
            self._marks[node] = marks
            self._total += len(marks) // 2
            heapq.heappush(self._last_first, key)
        while self._thin and self._total > MARKS_MAX:
            # Whatever comes later and stands behind this one is left out too: so the order of adding means nothing.
            self._last_kept = heapq.heappop(self._last_first)
            self._total -= len(self._marks.pop(-self._last_kept[1])) // 2
            self.left_out += 1

    def kept(self) -> dict[int, list[int]]:
        return dict(sorted(self._marks.items()))


class LeastCredited:
    """The credited seconds of each node; where there are too many nodes, of those that have the fewest."""

    def __init__(self, thin: bool) -> None:
        self._thin = thin
        self._credited_s: dict[int, int] = {}

    def add(self, credited_s: Mapping[int, int]) -> None:
        self._credited_s |= credited_s
        if self._thin:
            least = heapq.nsmallest(LEAST_CREDITED_MAX, self._credited_s.items(), key=lambda item: (item[1], item[0]))
            self._credited_s = dict(least)

    def kept(self) -> dict[int, int]:
        return dict(sorted(self._credited_s.items()))
