"""The bench runs, and prints figures: whether they are good is for its reader."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.__main__ import ROWS
from tests.slowness import patient

pytestmark = pytest.mark.timeout(620)


def test_the_quick_bench_prints_every_row_with_its_floor() -> None:
    command = [sys.executable, "-m", "tests.bench", "--quick", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patient(600))
    assert done.returncode == 0, done.stderr
    figures = [json.loads(line) for line in done.stdout.splitlines()]
    assert {each["row"] for each in figures} == set(ROWS)
    for each in figures:
        assert each["value"] >= 0
        assert each["ratio"] is None or each["ratio"] > 0


def test_an_unknown_row_is_refused_by_name() -> None:
    command = [sys.executable, "-m", "tests.bench", "--only", "speed"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patient(60))
    assert done.returncode == 2
    assert "speed" in done.stderr
    assert all(row in done.stderr for row in ROWS)


def test_the_page_says_of_every_row_what_it_measures() -> None:
    page = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text()
    assert re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE) == list(ROWS)
