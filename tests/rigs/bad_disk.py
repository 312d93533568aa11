"""Full or read-only disks, in a mount namespace where programs run. The test's own files are not on them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.rigs.needs import missing
from tests.rigs.program import Program

Kind = Literal["full", "read-only"]

MOUNTS: Mapping[Kind, str] = {
    "full": 'mount -t tmpfs -o size=8k none "$0" && head -c 8192 /dev/zero >"$0/filler"',
    "read-only": 'mount -t tmpfs -o ro none "$0"',
}


@dataclass(frozen=True, slots=True)
class BadDisk:
    """A disk at ``directory``, for the programs that run on it. It stays when they end."""

    holder: int
    directory: Path

    def __truediv__(self, name: str) -> Path:
        """A file on it, as the test sees it."""
        return Path(f"/proc/{self.holder}/root{self.directory}") / name

    def make_room(self) -> None:
        """Make room on the disk."""
        (self / "filler").unlink()

    def program(self, program: Program, **environment: str) -> Program:
        """The same program, run on this disk."""
        enter = ["nsenter", f"--mount=/proc/{self.holder}/ns/mnt"]
        variables = [f"{name}={value}" for name, value in environment.items()]
        return Program([*enter, "env", *variables, *program.command], fresh=True)


@contextmanager
def bad_disk(directory: Path, kind: Kind) -> Iterator[BadDisk]:
    """Skips where mounts are not allowed. The disk ends with the test process, however that ends."""
    directory.mkdir()
    script = f"({MOUNTS[kind]}) && echo ready && exec cat"
    holder = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", script, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        if holder.stdout.readline() != "ready\n":
            missing("mount namespaces (run as root, or with CAP_SYS_ADMIN)")
        yield BadDisk(holder.pid, directory)
    finally:
        holder.communicate()
