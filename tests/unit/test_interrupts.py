"""Ctrl-C ends a program without a traceback, at whatever moment it comes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.slowness import patient

PROGRAM = """
import atexit, os, signal, sys

def press():
    os.kill(os.getpid(), signal.SIGINT)

class Presses:
    def find_spec(self, name, *_):
        if name == moment:
            press()

moment = sys.argv.pop(1)
signal.signal(signal.SIGINT, signal.SIG_IGN if sys.argv.pop(1) == "ignored" else signal.default_int_handler)
atexit.register(lambda: press() if moment == "the end" else None)
sys.meta_path.insert(0, Presses())
from app.entrypoints.powerd.program import main
main()
"""

STOPPED = "powerd: stopped by Ctrl-C\n"


def run(moment: str, *arguments: str, handler: str = "default") -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, moment, handler, *arguments],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=patient(30),
        check=False,
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("moment", ["app.entrypoints.powerd.cli", "click", "the end"])
def test_while_it_loads_and_cleans_up_it_ends_as_by_the_signal(moment: str) -> None:
    assert run(moment, "--help") == (-2, "")


@pytest.mark.parametrize(
    ("moment", "arguments"),
    [
        ("app.entrypoints.powerd.decode", ["decode", "/dev/null"]),
        ("app.entrypoints.check.cli", ["check"]),
        ("app.entrypoints.terminal.version", ["--version"]),
        ("app.entrypoints.simulator.faults.kinds", ["simulate", "--list-faults"]),
    ],
)
def test_while_a_command_begins_it_says_so_in_one_line(moment: str, arguments: list[str]) -> None:
    assert run(moment, *arguments) == (130, STOPPED)


def test_in_the_background_of_a_shell_it_stays_ignored() -> None:
    assert run("click", "--help", handler="ignored") == (0, "")


def test_a_bug_shows_its_traceback_and_has_an_exit_code_of_its_own() -> None:
    code = """
from app.entrypoints.terminal import interrupts
interrupts.import_module = lambda module: type("Module", (), {"main": staticmethod(lambda: {}["lost"])})
interrupts.run_program("any")
"""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=patient(30),
        check=False,
    )
    assert ended.returncode == 70
    assert ended.stderr.endswith("KeyError: 'lost'\n")
