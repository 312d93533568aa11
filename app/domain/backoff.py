"""How long to wait before the next try: exponential, bounded, jittered."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.values import value

Jitter = Callable[[], float]
"""Draws from [0, 1): a generator's ``random``."""


@value
class Backoff:
    """Delays that double from ``delay_s_min`` to ``delay_s_max``."""

    delay_s_min: float
    delay_s_max: float

    def delay_s(self, failures: int, jitter: Jitter) -> float:
        """The wait after ``failures`` (1 or more) in a row, varied by up to ±25 %."""
        doubled = self.delay_s_min * 2.0 ** min(failures - 1, 32)
        return spread(min(doubled, self.delay_s_max), 0.25, jitter)


def spread(seconds: float, fraction: float, jitter: Jitter) -> float:
    """``seconds``, varied by up to ±``fraction`` of it, so that nodes do not act at the same moment."""
    return seconds * (1 + fraction * (2 * jitter() - 1))
