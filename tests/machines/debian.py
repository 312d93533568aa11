"""Debian 12 as a tree of files: made once a cache by debootstrap, and what runs in it by chroot."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from release.checkout import run as run_anywhere
from tests.machines.needs import ADMIN_PATH

INSIDE = Path(__file__).with_name("inside")
SUITE = "bookworm"
BASE = (INSIDE / "packages.txt", INSIDE / "prepare.sh")
IN_TREE = ("unshare", "--mount", "sh", "-c", 'mount -t proc proc "$0/proc" && exec chroot "$0" sh')
"""A shell in the tree that is named behind it, with /proc, which systemd-tmpfiles needs; its mount ends with it."""

Tell = Callable[[str], None]


class Debian:
    """In the directory ``cache``; what it is made of is in its name."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._base = cache / f"debian-{digest(BASE)}"

    def copy_to(self, tree: Path, tell: Tell) -> None:
        """A tree of its own, in the place of what was there; raises `BuildFailed`."""
        self._cache.mkdir(parents=True, exist_ok=True)
        if not self._base.exists():
            tell(f"debootstrap {SUITE} (once a cache) …")
            self._debootstrap()
        shutil.rmtree(tree, ignore_errors=True)
        run("cp", "--archive", "--reflink=auto", str(self._base), str(tree))

    def _debootstrap(self) -> None:
        begun = self._base.with_suffix(".begun")
        shutil.rmtree(begun, ignore_errors=True)
        packages = ",".join((INSIDE / "packages.txt").read_text().split())
        run("debootstrap", "--variant=minbase", f"--include={packages}", SUITE, str(begun))
        in_tree(begun, (INSIDE / "prepare.sh").read_text())
        begun.rename(self._base)


def in_tree(tree: Path, script: str) -> str:
    """What a script of the shell prints in there; raises `BuildFailed` unless it succeeds."""
    return run(*IN_TREE, str(tree), stdin=script)


def run(*command: str, stdin: str = "") -> str:
    """What it prints on standard output; raises `BuildFailed`."""
    return run_anywhere(*command, stdin=stdin, LC_ALL="C", PATH=f"{os.environ.get('PATH', os.defpath)}:{ADMIN_PATH}")


def digest(paths: Iterable[Path]) -> str:
    """Changes with the content of any of these files."""
    of_all = hashlib.sha256(SUITE.encode())
    for path in paths:
        of_all.update(path.read_bytes())
    return of_all.hexdigest()[:12]
