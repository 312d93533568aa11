"""The bench runs, and prints figures: whether they are good is for its reader."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.slowness import patient

pytestmark = pytest.mark.timeout(620)


def test_the_quick_bench_prints_every_row_with_its_floor() -> None:
    command = [sys.executable, "-m", "tests.bench", "--quick", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patient(600))
    assert done.returncode == 0, done.stderr
    figures = [json.loads(line) for line in done.stdout.splitlines()]
    assert {each["row"] for each in figures} == {
        "codecs",
        "chain",
        "dev chain",
        "minting",
        "wake",
        "power off",
        "start-up",
        "check",
        "footprint",
        "metrics",
        "zbus",
        "zos wake",
        "zos daemon",
        "simulation",
        "month",
        "workers",
        "outage",
        "soak",
    }
    for each in figures:
        assert each["value"] >= 0
        assert each["ratio"] is None or each["ratio"] > 0


def test_an_unknown_row_is_refused_by_name() -> None:
    command = [sys.executable, "-m", "tests.bench", "--only", "speed"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patient(60))
    assert done.returncode == 2
    assert "speed" in done.stderr
