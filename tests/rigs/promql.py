"""The part of Prometheus' query language that the alert rules use, on scrapes of one daemon.

`increase` does not extrapolate, and labels of the target (instance, job) are those of the one daemon.
"""

from __future__ import annotations

import itertools
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.rigs.metered import Samples

Labels = frozenset[tuple[str, str]]
Vector = Mapping[Labels, float]

SECONDS = {"m": 60, "h": 3600, "d": 86400}
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
SELECTOR = re.compile(r"(?P<name>up|powerd_\w+)(?:\{(?P<labels>[^}]*)\})?(?:\[(?P<range>\d+)(?P<unit>[mhd])\])?")
MATCHER = re.compile(r'(\w+)(=~?)"([^"]*)"')
OVER_TIME = re.compile(r"(increase|changes|last_over_time)\((.*)\)")
SET_OPERATION = re.compile(r" (and|unless) on \(instance, job\) ")


def selectors(expr: str) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Every metric that a query names, with its matchers: label, operation, value."""
    plain = re.sub(r"\bon \([^)]*\)", "", expr)
    for found in SELECTOR.finditer(plain):
        yield found["name"], MATCHER.findall(found["labels"] or "")


@dataclass
class Scrapes:
    """The scrapes of one daemon, oldest first; times in seconds."""

    taken: list[tuple[float, Samples]] = field(default_factory=list)

    def add(self, at_s: float, samples: Samples | None) -> None:
        """None: the daemon could not be reached."""
        reached = Samples({**(samples.of if samples else {}), "up": {JOB: float(samples is not None)}})
        self.taken.append((at_s, reached))

    def fires(self, expr: str) -> bool:
        """Whether the query has a result now."""
        first, *rest = SET_OPERATION.split(expr)
        vector = bool(self._compare(first))
        for operation, part in zip(rest[::2], rest[1::2], strict=True):
            vector = vector and bool(self._compare(part)) is (operation == "and")
        return vector

    def _compare(self, expr: str) -> Vector:
        value, comparison, bound = re.fullmatch(r"(.+) (==|>|<) (-?\d+)", expr.strip()).groups()  # type: ignore[union-attr]
        return {
            labels: each
            for labels, each in self._difference(value).items()
            if COMPARISONS[comparison](each, float(bound))
        }

    def _difference(self, expr: str) -> Vector:
        left, minus, right = expr.partition(" - ")
        if not minus:
            return self._term(left)
        subtract, minuend = self._term(right), self._term(left)
        if left == "time()":
            return {labels: minuend[frozenset()] - value for labels, value in subtract.items()}
        if right == "time()":
            return {labels: value - subtract[frozenset()] for labels, value in minuend.items()}
        return {labels: minuend[labels] - subtract[labels] for labels in minuend.keys() & subtract.keys()}

    def _term(self, expr: str) -> Vector:
        if expr == "time()":
            return {frozenset(): self.taken[-1][0]}
        if product := re.fullmatch(r"(\d+) \* (.+)", expr):
            return {labels: float(product[1]) * value for labels, value in self._term(product[2]).items()}
        if over_time := OVER_TIME.fullmatch(expr):
            return dict(self._over_time(over_time[1], over_time[2]))
        series = self._series(expr, since_s=self.taken[-1][0])
        return {labels: values[-1] for labels, values in series.items()}

    def _over_time(self, function: str, selector: str) -> Iterator[tuple[Labels, float]]:
        found = SELECTOR.fullmatch(selector)
        assert found is not None, selector
        since_s = self.taken[-1][0] - int(found["range"]) * SECONDS[found["unit"]]
        for labels, values in self._series(selector, since_s=since_s).items():
            steps = list(itertools.pairwise(values))
            if function == "increase" and steps:
                yield labels, sum(after - before if after >= before else after for before, after in steps)
            elif function == "changes":
                yield labels, float(sum(after != before for before, after in steps))
            elif function == "last_over_time":
                yield labels, values[-1]

    def _series(self, selector: str, *, since_s: float) -> Mapping[Labels, list[float]]:
        found = SELECTOR.fullmatch(selector)
        assert found is not None, f"not understood: {selector}"
        matchers = MATCHER.findall(found["labels"] or "")
        series: dict[Labels, list[float]] = {}
        for at_s, samples in self.taken:
            if at_s >= since_s:
                for labels, value in samples.of.get(found["name"], {}).items():
                    if all(_matches(dict(labels).get(label, ""), how, wanted) for label, how, wanted in matchers):
                        series.setdefault(labels, []).append(value)
        return series


JOB: Labels = frozenset({("job", "powerd")})


def _matches(value: str, how: str, wanted: str) -> bool:
    return bool(re.fullmatch(wanted, value)) if how == "=~" else value == wanted
