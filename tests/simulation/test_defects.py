"""Every planted defect is found by one of the first seeds. docs/simulation.md lists which.

``python -m tests.simulation.test_defects`` prints the table of that page, and with a defect's name its row.
"""

from __future__ import annotations

import sys

import pytest

from app.entrypoints.simulator.experiments.explore import HOURS
from app.entrypoints.simulator.promises import ALL
from app.entrypoints.simulator.run.run import run
from tests.simulation.defects import DEFECTS
from tests.simulation.defects.defect import Defect
from tests.simulation.defects_page import table

SEEDS_MAX = 300


def test_the_page_lists_all_planted_defects() -> None:
    assert set(table()) == set(DEFECTS)
    assert len(DEFECTS) >= 10


def test_every_promise_is_broken_by_some_defect() -> None:
    """A promise that no defect breaks may be one that cannot fail."""
    names = {promise.__module__.rpartition(".")[2] for promise in ALL}
    assert names == {promise for _, promises in table().values() for promise in promises}


@pytest.mark.parametrize("name", DEFECTS)
def test_the_simulator_finds(name: str) -> None:
    """The page counts seeds from 1; the first is seed 0. Without the defect they break nothing (test_explored.py)."""
    seeds, promises = table()[name]
    assert promises == sorted(DEFECTS[name].run(seeds - 1).broken)


@pytest.mark.parametrize("name", [name for name, defect in DEFECTS.items() if defect.hours != HOURS])
def test_a_longer_world_breaks_nothing_without_the_defect(name: str) -> None:
    seeds, _ = table()[name]
    assert run(DEFECTS[name].world(seeds - 1)).kept


def first_seed(defect: Defect) -> tuple[int, list[str]]:
    """Seeds needed, and the promises that were broken."""
    for seed in range(SEEDS_MAX):
        outcome = defect.run(seed)
        if not outcome.kept:
            return seed + 1, sorted(outcome.broken)
    raise AssertionError(f"not found within {SEEDS_MAX} seeds: {defect.text}")


if __name__ == "__main__":
    for name in sys.argv[1:] or DEFECTS:
        seeds, promises = first_seed(DEFECTS[name])
        print(
            f"| {name} | {DEFECTS[name].text} | {seeds} | {', '.join(f'`{each}`' for each in promises)} |", flush=True
        )
