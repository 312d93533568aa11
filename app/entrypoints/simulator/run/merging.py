"""Merges the outcomes of many farms into one: the same in any order of finishing, and small for any number of farms."""

from __future__ import annotations

import enum
import hashlib
import heapq
from collections import Counter, defaultdict
from fractions import Fraction

from app.entrypoints.simulator.income.minted import Income
from app.entrypoints.simulator.plan.at_risk import NodeAtRisk, Risk
from app.entrypoints.simulator.plan.plan import Plan
from app.entrypoints.simulator.run.outcome import Energy, Outcome, Sample
from app.entrypoints.simulator.run.thinning import LeastCredited, Timelines
from app.entrypoints.simulator.run.times import Times
from app.entrypoints.simulator.watching.promise import KEPT_MAX
from app.entrypoints.simulator.watching.violation import Violation

ENERGY = ("used_kwh", "always_on_kwh", "used_money", "always_on_money")


class Details(enum.Enum):
    """How much is kept of single nodes; the figures are the same."""

    NONE = "the figures"
    PAGE = "as much as fits on a page"
    ALL = "everything"


class Merging:
    """Takes the outcome of each farm once, in any order.

    Sums of floating-point numbers are exact, so that the order does not matter.
    """

    def __init__(self, plan: Plan, details: Details) -> None:
        self._plan = plan
        self._details = details
        self._hashes: dict[int, str] = {}
        self._counts: Counter[str] = Counter()
        self._seconds_in: defaultdict[str, Fraction] = defaultdict(Fraction)
        self._energy: defaultdict[str, Fraction] = defaultdict(Fraction)
        self._series: list[Sample] = []
        self._times = [Times(), Times(), Times()]
        self._still_waiting = 0
        self._promises: dict[str, str] = {}
        self._not_checked: dict[str, None] = {}
        self._broken: Counter[str] = Counter()
        self._violations: dict[str, list[Violation]] = {}
        self._at_risk: list[NodeAtRisk] = []
        self._timelines = Timelines(details is Details.PAGE)
        self._credited = LeastCredited(details is Details.PAGE)
        self._income = Income(credited_s={}, lost=[], slow_boots=0, months=0, months_lost={})

    def add(self, number: int, farm: Outcome) -> None:
        """``number`` is the farm's place in the plan."""
        self._hashes[number] = farm.trace_hash
        self._counts.update(farm.counts)
        for power, seconds in farm.seconds_in.items():
            self._seconds_in[power] += Fraction(seconds)
        for name in ENERGY:
            self._energy[name] += Fraction(getattr(farm.energy, name))
        self._add_series(farm.series)
        its_times = (farm.wake_latencies_s, farm.packet_latencies_s, farm.waits_s)
        self._times = [Times.merged(pair) for pair in zip(self._times, its_times, strict=True)]
        self._still_waiting += farm.still_waiting
        self._promises |= farm.promises
        self._not_checked |= dict.fromkeys(farm.not_checked)
        self._add_violations(farm)
        self._at_risk += farm.at_risk
        self._add_income(farm.income)
        if self._details is not Details.NONE:
            self._timelines.add(farm)
            self._credited.add(farm.income.credited_s)

    def outcome(self, wall_s: float) -> Outcome:
        """The outcome of all farms, once every farm of the plan was added."""
        wakes, packets, waits = self._times
        income = self._income
        income.credited_s = self._credited.kept()
        income.lost.sort(key=lambda lost: (lost.until_s, lost.node, lost.loss.name))
        income.months_lost = dict(sorted(income.months_lost.items()))
        return Outcome(
            plan=self._plan,
            trace_hash=self._trace_hash(),
            counts=dict(sorted(self._counts.items())),
            seconds_in={power: float(seconds) for power, seconds in sorted(self._seconds_in.items())},
            energy=Energy(**{name: float(self._energy[name]) for name in ENERGY}, currency=self._plan.energy.currency),
            series=self._series,
            wake_latencies_s=wakes,
            packet_latencies_s=packets,
            waits_s=waits,
            still_waiting=self._still_waiting,
            promises=self._promises,
            not_checked=[name for name in self._not_checked if name not in self._promises],
            broken={name: self._broken[name] for name in self._promises if self._broken[name]},
            violations=sorted(
                (violation for kept in self._violations.values() for violation in kept), key=_when_and_where
            ),
            timelines=self._timelines.kept(),
            timelines_left_out=self._timelines.left_out,
            income=income,
            at_risk=sorted(self._at_risk, key=lambda each: (_RISKS.index(each.risk), each.node)),
            wall_s=wall_s,
        )

    def _trace_hash(self) -> str:
        trace = hashlib.blake2b(digest_size=16)
        for _, farm in sorted(self._hashes.items()):
            trace.update(farm.encode())
        return trace.hexdigest()

    def _add_series(self, series: list[Sample]) -> None:
        if not self._series:
            self._series = list(series)
            return
        self._series = [
            (at_s, running + its_running, dark + its_dark, wanted + its_wanted)
            for (at_s, running, dark, wanted), (_, its_running, its_dark, its_wanted) in zip(
                self._series, series, strict=True
            )
        ]

    def _add_violations(self, farm: Outcome) -> None:
        self._broken.update(farm.broken)
        for violation in farm.violations:
            self._violations.setdefault(violation.promise, []).append(violation)
        for name, kept in self._violations.items():
            self._violations[name] = heapq.nsmallest(KEPT_MAX, kept, key=_when_and_where)

    def _add_income(self, farm: Income) -> None:
        income = self._income
        income.credited_in_all_s += farm.credited_in_all_s
        income.lost_to_s = dict(Counter(income.lost_to_s) + Counter(farm.lost_to_s))
        income.slow_boots += farm.slow_boots
        income.months += farm.months
        income.months_lost |= farm.months_lost
        income.node_s += farm.node_s
        income.paid_s += farm.paid_s
        if self._details is Details.ALL:
            income.lost += farm.lost


_RISKS = list(Risk)


def _when_and_where(violation: Violation) -> tuple[float, int, str]:
    return violation.at_s, violation.node, violation.detail
