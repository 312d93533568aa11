"""A distribution of times: it takes no more memory for many farms than for one, and can be merged."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from msgspec import Struct


class Times(Struct, frozen=True):
    """Seconds, rounded to three digits, each with how often it occurred; in rising order."""

    counts: list[tuple[float, int]] = []

    @classmethod
    def of(cls, values: Iterable[float]) -> Times:
        return cls(sorted(Counter(map(_rounded, values)).items()))

    @classmethod
    def merged(cls, many: Iterable[Times]) -> Times:
        """The distribution of all together, in whatever order they come."""
        total: Counter[float] = Counter()
        for times in many:
            total.update(dict(times.counts))
        return cls(sorted(total.items()))

    def __len__(self) -> int:
        """The number of times; equal ones are counted each."""
        return sum(count for _, count in self.counts)

    @property
    def longest(self) -> float:
        """NaN when there are no times."""
        return self.counts[-1][0] if self.counts else float("nan")

    def percentile(self, share: float) -> float:
        """By nearest rank; NaN when there are no times."""
        wanted = max(0, math.ceil(share * len(self)) - 1)
        before = 0
        for value, count in self.counts:
            before += count
            if wanted < before:
                return value
        return float("nan")


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
