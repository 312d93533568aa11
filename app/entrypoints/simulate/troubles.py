"""Which faults befell a machine, and until when: promises that hold only in peace ask for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

CHAIN = frozenset(
    {
        "chain-stalls",
        "finality-stalls",
        "reorganisation",
        "extrinsics-lost",
        "extrinsics-refused",
        "chain-away",
        "chain-slow",
        "chain-flaky",
        "chain-garbled",
        "uptime-hangs",
        "sight-lost",
    }
)
"""Between the machine and what the chain says of it."""

BUS = frozenset({"bus-away", "bus-full", "bus-data-lost", "events-lost", "events-late"})
"""Between the machine and its events."""

HOST = frozenset({"power-off-refused", "power-off-hangs", "power-off-ignored", "power-off-stuck"})
"""Between the machine and its power-off."""

WAKING = frozenset({"deaf", "packets-lost", "packets-refused", "wrong-mac", "power-cut", "crash"})
"""Between a waker and the one it wakes."""


class Troubles:
    """One machine's."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._going_on: Counter[str] = Counter()
        self._over_at_s: dict[str, float] = {}

    def begin(self, kind: str) -> None:
        """A fault of this kind begins."""
        self._going_on[kind] += 1

    def end(self, kind: str) -> None:
        self._going_on[kind] -= 1
        self._over_at_s[kind] = self._now_s()

    def lately(self, kinds: Collection[str], within_s: float) -> bool:
        """Whether one of these goes on, or was over less than ``within_s`` ago."""
        if not self._over_at_s and not self._going_on:
            return False
        since_s = self._now_s() - within_s
        return any(self._going_on[kind] > 0 or self._over_at_s.get(kind, -1e9) > since_s for kind in kinds)

    def any_since(self, since_s: float) -> bool:
        """Whether a fault of any kind goes on, or went on after that time (virtual seconds)."""
        return any(self._going_on.values()) or any(over_s > since_s for over_s in self._over_at_s.values())
