"""A set-up that takes a minute says how far it is, and what went wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest

import bootstrap


def pip_that(does: str) -> list[str]:
    return [sys.executable, "-c", does]


def test_it_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    bootstrap.watch(pip_that("import time; print('Collecting a', flush=True); time.sleep(0.5)"), 3, pace_s=0.1)
    said = capsys.readouterr().err
    assert "bootstrap: fetching package 1 of 3, " in said
    assert "Collecting" not in said


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"", "fetching package 1 of 3"),
        (b"Collecting a\n  Downloading a.whl\nCollecting b\n", "fetching package 2 of 3"),
        (b"Requirement already satisfied: a\n" * 5, "fetching package 3 of 3"),
        (b"Collecting a\nInstalling collected packages: a\n", "installing 3 packages"),
    ],
)
def test_how_far_pip_is_shows_from_what_it_says(said: bytes, told: str) -> None:
    assert bootstrap.progress(said, 3) == told
    assert bootstrap.progress(said, 0) == "installing powerd itself"


def test_what_a_failing_pip_said_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        bootstrap.watch(pip_that("import sys; print('no such package'); sys.exit(3)"), 3)
    assert "no such package" in capsys.readouterr().err


def test_a_path_takes_the_place_of_the_task_s_own() -> None:
    unit = bootstrap.TASKS["unit"][1][-1]
    assert "tests/unit" in unit
    assert bootstrap._narrowed(unit, ["-k", "wake"]) == [*unit, "-k", "wake"]
    one = bootstrap._narrowed(unit, ["tests/unit/test_bootstrap.py::test_it_says_how_far_it_is"])
    assert [word for word in one if word.startswith("tests/")] == [
        "tests/unit/test_bootstrap.py::test_it_says_how_far_it_is"
    ]
