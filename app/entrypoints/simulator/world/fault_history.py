"""Which faults hit a machine, and until when: promises that hold only without faults ask for it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator

from app.entrypoints.simulator.plan.plan import FaultPlan

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
        "peers-garbled",
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


class FaultHistory:
    """One machine's."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._going_on: Counter[str] = Counter()
        self._over_at_s: dict[str, float] = {}
        self._begun_s: dict[str, list[float]] = {}
        self._spans: list[tuple[float, float]] = []

    def begin(self, kind: str) -> None:
        self._going_on[kind] += 1
        self._begun_s.setdefault(kind, []).append(self._now_s())

    def end(self, kind: str) -> None:
        self._going_on[kind] -= 1
        self._over_at_s[kind] = self._now_s()
        self._spans.append((self._begun_s[kind].pop(0), self._now_s()))

    def lately(self, kinds: Collection[str], within_s: float) -> bool:
        """Whether one of these goes on, or was over less than ``within_s`` ago."""
        if not self._over_at_s and not self._going_on:
            return False
        since_s = self._now_s() - within_s
        going_on, over_at_s = self._going_on.get, self._over_at_s.get
        return any(going_on(kind, 0) > 0 or over_at_s(kind, -1e9) > since_s for kind in kinds)

    def any_between(self, from_s: float, to_s: float) -> bool:
        """Whether a fault of any kind went on at some time of these (virtual seconds)."""
        return any(begun_s <= to_s and over_s >= from_s for begun_s, over_s in self._all())

    def lasted_s(self, from_s: float, to_s: float, recovery_s: float) -> float:
        """How much of that time faults went on, or were over less than ``recovery_s`` ago."""
        lasted_s = 0.0
        counted_to_s = from_s
        for begun_s, over_s in sorted(self._all()):
            end_s = min(over_s + recovery_s, to_s)
            lasted_s += max(0.0, end_s - max(begun_s, counted_to_s))
            counted_to_s = max(counted_to_s, end_s)
        return lasted_s

    def _all(self) -> Iterator[tuple[float, float]]:
        yield from self._spans
        for begun in self._begun_s.values():
            yield from ((begun_s, float("inf")) for begun_s in begun)


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
