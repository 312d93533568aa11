"""Every planted defect is found by the seeds that `make sim` begins with; docs/simulation.md tells by which.

The table there is written by ``python -m tests.simulation.test_defects``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.entrypoints.simulate.explore import explored_plan
from app.entrypoints.simulate.promises import ALL
from app.entrypoints.simulate.run import run
from tests.simulation.defects import DEFECTS, Defect

PAGE = Path(__file__).parents[2] / "docs" / "simulation.md"
SEEDS_MAX = 300
ROW = re.compile(r"^\| ([\w' -]+) \| [^|]+ \| (\d+) \| `(\w+)` \|$", re.MULTILINE)


def table() -> dict[str, tuple[int, str]]:
    """Of the page: defect → seeds until it was found, and the promise it broke."""
    return {name: (int(seeds), promise) for name, seeds, promise in ROW.findall(PAGE.read_text())}


def test_the_page_lists_all_planted_defects() -> None:
    assert set(table()) == set(DEFECTS)
    assert len(DEFECTS) >= 10


def test_every_promise_is_broken_by_some_defect() -> None:
    """So none of them is a promise that can't fail."""
    names = {promise.__module__.rpartition(".")[2] for promise in ALL}
    assert names == {promise for _, promise in table().values()}


@pytest.mark.parametrize("name", DEFECTS)
def test_the_simulator_finds(name: str) -> None:
    """The page counts seeds from 1; the first is seed 0. Without the defect they break nothing (test_explored.py)."""
    seeds, promise = table()[name]
    assert promise in run(explored_plan(seeds - 1), build=DEFECTS[name].build).broken


def first_seed(defect: Defect) -> tuple[int, str]:
    """Seeds needed, and the first promise that was broken."""
    for seed in range(SEEDS_MAX):
        outcome = run(explored_plan(seed), build=defect.build)
        if not outcome.kept:
            return seed + 1, outcome.violations[0].promise
    raise AssertionError(f"not found within {SEEDS_MAX} seeds: {defect.text}")


if __name__ == "__main__":
    for name, defect in DEFECTS.items():
        seeds, promise = first_seed(defect)
        print(f"| {name} | {defect.text} | {seeds} | `{promise}` |", flush=True)
