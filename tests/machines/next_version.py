"""The package of a later commit that changed nothing but the version: what an upgrade is tried with."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from release.checkout import run
from release.deb import SITE

COMMIT = "feedfeedfeed"


def next_version(deb: Path, target: Path) -> None:
    """Write it to ``target``; the program in it says that it is of `COMMIT`. Raises `BuildFailed`."""
    with tempfile.TemporaryDirectory(prefix="powerd-next-") as work:
        tree = Path(work) / "tree"
        run("dpkg-deb", "--raw-extract", str(deb), str(tree))
        control = tree / "DEBIAN" / "control"
        control.write_text(re.sub(r"^Version: (.*)-1$", r"Version: \1+next-1", control.read_text(), flags=re.MULTILINE))
        (tree / SITE / "app" / "commit.txt").write_text(COMMIT)
        run("dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(tree), str(target))
