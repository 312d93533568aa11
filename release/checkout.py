"""The checkout that a package is built from: version, commit, time, and the files that belong to it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

NOT_BUILT_FROM = ("tests/", "docs/", "release/", ".ci/")
"""What changes nothing in a package."""


class BuildFailed(Exception):
    """A step failed; the text says which, and what it said."""


@dataclass(frozen=True)
class Checkout:
    """Files that are not committed yet count, too."""

    root: Path = ROOT

    @cached_property
    def version(self) -> str:
        """The one in app/__init__.py, the only place where it stands."""
        (found,) = re.findall(r'^__version__ = "(.+)"$', (self.root / "app" / "__init__.py").read_text(), re.MULTILINE)
        return str(found)

    @cached_property
    def commit(self) -> str:
        """12 digits; ``-dirty`` where files were changed since; "" without git."""
        return self._git("describe", "--always", "--exclude=*", "--abbrev=12", "--dirty")

    @cached_property
    def released(self) -> bool:
        """Whether this very commit bears the version's tag."""
        return f"v{self.version}" in self._git("tag", "--points-at", "HEAD").split() and "-dirty" not in self.commit

    @cached_property
    def epoch_s(self) -> int:
        """``SOURCE_DATE_EPOCH``, or the time of the commit: the time that all files of a package have."""
        return int(os.environ.get("SOURCE_DATE_EPOCH") or self._git("log", "-1", "--format=%ct") or 0)

    def notes(self) -> str:
        """What CHANGELOG.md says of this version, without the heading. Raises `BuildFailed` if that is nothing."""
        text = (self.root / "CHANGELOG.md").read_text()
        notes = text.partition(f"\n## {self.version} ")[2].partition("\n")[2].partition("\n## ")[0].strip()
        if not notes:
            raise BuildFailed(f"CHANGELOG.md has no section {self.version}; write what changed for users")
        return f"{notes}\n"

    def files(self) -> Sequence[str]:
        """What a clone would hold, with what is not committed yet; relative to the root, sorted."""
        listed = self._git("ls-files", "--cached", "--others", "--exclude-standard").splitlines()
        return sorted(name for name in listed if not name.startswith(NOT_BUILT_FROM) and (self.root / name).is_file())

    def export(self, directory: Path) -> None:
        """Copy the files there: no leftover of an earlier build gets into a package."""
        for name in self.files():
            target = directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.root / name, target)
            target.chmod(0o755 if os.access(self.root / name, os.X_OK) else 0o644)

    def _git(self, *words: str) -> str:
        return run("git", "-C", str(self.root), *words).strip()


def run(*command: str, stdin: str = "", directory: Path | None = None, **environment: str) -> str:
    """What it prints on standard output; raises `BuildFailed`."""
    try:
        ended = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=directory,
            env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
        )
    except FileNotFoundError:
        raise BuildFailed(f"there is no program {command[0]} on this machine; install it") from None
    if ended.returncode:
        last = "\n".join((ended.stdout + ended.stderr).splitlines()[-20:])
        raise BuildFailed(f"{' '.join(command[:3])} … failed (exit code {ended.returncode}):\n{last}")
    return ended.stdout
