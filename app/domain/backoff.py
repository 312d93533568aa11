"""How long to wait before the next try: exponential, bounded, jittered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Jitter = Callable[[], float]
"""Draws from [0, 1); services hand in a seeded generator's ``random``."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays that double from ``delay_s_min`` to ``delay_s_max``."""

    delay_s_min: float
    delay_s_max: float

    def delay_s(self, failures: int, jitter: Jitter) -> float:
        """The wait after that many failures in a row (1 or more), within ±25 % of the exact value."""
        doubled = self.delay_s_min * 2.0 ** min(failures - 1, 32)
        return spread(min(doubled, self.delay_s_max), 0.25, jitter)


def spread(seconds: float, fraction: float, jitter: Jitter) -> float:
    """``seconds``, moved by up to ``fraction`` of it to either side, so that nodes don't act in step."""
    return seconds * (1 + fraction * (2 * jitter() - 1))
