"""Prometheus' own program for checking rules, where it is installed (Debian's package `prometheus`)."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path

from tests.rigs.needs import missing
from tests.rigs.promql import Scrapes

PROMTOOL = shutil.which("promtool")


def needed() -> None:
    """Skip without it."""
    if PROMTOOL is None:
        missing("promtool (Debian: apt-get install prometheus)")


def run(*arguments: str) -> None:
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def agrees(scrapes: Scrapes, rules: Path, expected: Collection[str], directory: Path, step_s: int) -> None:
    """Evaluate the rules by Prometheus itself (`promtool`), on the same scrapes; here `for` counts."""
    if PROMTOOL is None:
        return
    firing_now = {
        "expr": 'max by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": f"{(len(scrapes.taken) - 1) * step_s}s",
        "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(expected)],
    }
    case = {"interval": f"{step_s}s", "input_series": _series_of(scrapes), "promql_expr_test": [firing_now]}
    file = directory / "rules-test.yaml"  # JSON is YAML
    file.write_text(json.dumps({"rule_files": [str(rules)], "evaluation_interval": f"{step_s}s", "tests": [case]}))
    run("test", "rules", str(file))


def _series_of(scrapes: Scrapes) -> list[dict[str, str]]:
    """The time of promtool begins with 0, so all times are shifted."""
    began_s = scrapes.taken[0][0]
    values: dict[str, list[str]] = {}
    for number, (_, samples) in enumerate(scrapes.taken):
        for name, series in samples.of.items():
            for labels, value in series.items():
                moved = value - began_s if name.endswith(("_timestamp_seconds", "_start_time_seconds")) else value
                target = {**dict(labels), "job": "powerd", "instance": "node-1:9617"}
                written = ",".join(f"{label}={json.dumps(text)}" for label, text in sorted(target.items()))
                values.setdefault(f"{name}{{{written}}}", ["_"] * number).append(repr(moved))
        for had in values.values():
            had += ["stale"] * (number + 1 - len(had))
    return [{"series": series, "values": " ".join(each)} for series, each in values.items()]
