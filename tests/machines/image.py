"""The disk of the machines: Debian 12, and powerd on it as its package installs it.

Both layers are kept in the cache, each under a fingerprint of all that went into it: Debian as a tree, and the disk.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from release.checkout import ROOT, BuildFailed, Checkout
from release.deb import build_deb
from tests.machines.debian import BASE, INSIDE, Debian, Tell, digest, in_tree, run
from tests.machines.next_version import next_version

DISK_MIB = 1700
RECIPE = (INSIDE / "agent.py", Path(__file__), Path(__file__).with_name("next_version.py"))
NEXT_DEB = "/var/cache/powerd-next.deb"
"""On the disk: the same package with a higher version."""


class Image:
    """In the directory ``cache``."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    @cached_property
    def disk(self) -> Path:
        """Raw, with an ext4 and no partitions."""
        made_of = (*(ROOT / name for name in Checkout().files()), *sorted((ROOT / "release").glob("*.py")))
        return self._cache / f"disk-{digest((*BASE, *RECIPE, *made_of))}.raw"

    @property
    def kernel(self) -> Path:
        """QEMU loads it; there is no boot loader."""
        return self.disk.with_suffix(".vmlinuz")

    @property
    def initrd(self) -> Path:
        """Made last: where it is, all is."""
        return self.disk.with_suffix(".initrd")

    @property
    def is_there(self) -> bool:
        """Whether there is nothing left to do."""
        return self.initrd.exists()

    def make(self, tell: Tell) -> None:
        """Make what is not there; raises `BuildFailed`."""
        if self.is_there:
            return
        tree = self._cache / "tree"
        Debian(self._cache).copy_to(tree, tell)
        tell("building the package and installing it …")
        self._install(tree)
        tell("making the disk …")
        for old in self._cache.glob("disk-*"):
            old.unlink()
        run("mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(self.disk), f"{DISK_MIB}M")
        shutil.copy(next((tree / "boot").glob("vmlinuz-*")), self.kernel)
        shutil.copy(next((tree / "boot").glob("initrd.img-*")), self.initrd)
        for path in (self.disk, self.kernel, self.initrd):
            path.chmod(0o644)
        shutil.rmtree(tree)

    def _install(self, tree: Path) -> None:
        deb = build_deb(Checkout(), tree, lambda _: None)
        in_tree(tree, f"dpkg --install /{deb.name}")
        next_version(deb, tree / NEXT_DEB.removeprefix("/"))
        deb.unlink()
        agent = tree / "usr" / "local" / "lib" / "machine" / "agent.py"
        agent.parent.mkdir()
        shutil.copy(INSIDE / "agent.py", agent)


def write_into(disk: Path, files: Iterable[tuple[str, Path]]) -> None:
    """Put files (root's, each with the mode it has here) into a disk that no machine uses, without mounting it.

    Their directories must be there: debugfs ends with 0 whatever happens, and names on its standard output only the
    files that it made.
    """
    written = [(f"rm {path}", f"write {source} {path}") for path, source in files]
    said = run("debugfs", "-w", "-f", "-", str(disk), stdin="\n".join("\n".join(pair) for pair in written) + "\n")
    if said.count("Allocated inode") != len(written):
        raise BuildFailed(f"debugfs did not write every file: {said}")
