"""Run the whole suite, four tests a core since many of them wait; then hold domain and codecs to full branch coverage.

``python -m tests.run [PYTEST ARGUMENTS]``; with arguments only the tests run, for a quick look.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from app.entrypoints.demo.reaper import start_reaper

ROOT = Path(__file__).resolve().parent.parent
FULLY_COVERED = "app/domain/*,app/adapters/codecs/*"


def main(arguments: Sequence[str]) -> int:
    """The exit code of the first command that fails."""
    start_reaper(Path(tempfile.mkdtemp(prefix="powerd-")), remove=True)
    if arguments:
        return call("pytest", *arguments)
    # Hundreds of processes would each compile all modules again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    environment = {"COVERAGE_PROCESS_START": str(ROOT / "pyproject.toml")}
    call("coverage", "erase")
    workers = str(4 * max(2, os.cpu_count() or 2))
    # In the order of tests/conftest.py; xdist's own would leave the longest tests to the end.
    failed = call("pytest", "-n", workers, "--no-loadscope-reorder", **environment)
    call("coverage", "combine", "--quiet")
    return failed or call("coverage", "report", f"--include={FULLY_COVERED}", "--fail-under=100")


def call(module: str, *arguments: str, **environment: str) -> int:
    """Run a module of the test environment, and return its exit code."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.call(command, cwd=ROOT, env={**os.environ, **environment})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
