"""Writes the commit into what is built; everything else about the build is in pyproject.toml."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
COMMIT_FILE = Path("app") / "commit.txt"


def commit() -> str:
    """As app/entrypoints/terminal/version.py reads it; "" where nothing says it."""
    written = ROOT / COMMIT_FILE
    if written.is_file():  # in an unpacked sdist
        return written.read_text(encoding="ascii")
    if "POWERD_COMMIT" in os.environ:  # a build from exported files, as that of the .deb
        return os.environ["POWERD_COMMIT"]
    if not (ROOT / ".git").exists():
        return ""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--exclude=*", "--abbrev=12", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def write(directory: str) -> None:
    """Into the files of a build, and never into the checkout."""
    path = Path(directory) / COMMIT_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(commit(), encoding="ascii")


class BuildWithCommit(build_py):
    """An editable installation has none: it would be stale with the next commit."""

    def run(self) -> None:
        """Build, then write it."""
        super().run()
        if not self.editable_mode:
            write(self.build_lib)


class SdistWithCommit(sdist):
    """Has no git any more when a wheel is made of it."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Copy the files, then write it."""
        super().make_release_tree(base_dir, files)
        write(base_dir)


setup(cmdclass={"build_py": BuildWithCommit, "sdist": SdistWithCommit})
