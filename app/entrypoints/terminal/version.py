"""What ``powerd --version`` prints: the version, and the commit that it was built from."""

from __future__ import annotations

import subprocess
from importlib.resources import files
from pathlib import Path

from app import __version__

COMMIT_FILE = "commit.txt"
"""In the package ``app``, written when a wheel, an sdist or a .deb is built (setup.py); a checkout has none."""

UNKNOWN = "unknown"
GIT_S = 5.0


def version_text() -> str:
    """Version and commit in one line; ``(commit unknown)`` where neither the build nor git says it."""
    return f"{__version__} (commit {commit()})"


def commit() -> str:
    """The commit's first 12 digits, with ``-dirty`` where files were changed since."""
    built = files("app").joinpath(COMMIT_FILE)
    if built.is_file():
        return built.read_text(encoding="ascii").strip() or UNKNOWN
    return _of_checkout(Path(__file__).resolve().parents[3])


def _of_checkout(root: Path) -> str:
    # Without a repository of its own, git would look in the directories above, and name the commit of another project.
    if not (root / ".git").exists():
        return UNKNOWN
    try:
        asked = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--exclude=*", "--abbrev=12", "--dirty"],
            capture_output=True,
            text=True,
            timeout=GIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return UNKNOWN
    return asked.stdout.strip() or UNKNOWN
