"""A Debian in a directory, which is changed by dpkg and by nothing else: what is in it, and what was left behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from release.checkout import BuildFailed
from tests.machines.debian import in_tree

BOOK_KEEPING = (
    "var/lib/dpkg/",
    "var/log/",
    # Copies that useradd and userdel keep of what was before.
    *("etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/.pwd.lock"),
    # Directories that sysusers and tmpfiles look at, not of the package.
    "run/",
    "tmp/",
)
"""Changes with every package."""


class NotSo(Exception):
    """A promise of the package did not hold."""


@dataclass(frozen=True)
class Host:
    """Commands run as root in it, by chroot; no service runs there."""

    tree: Path

    def sh(self, script: str) -> str:
        """What it prints; raises `NotSo` unless it succeeds."""
        try:
            return in_tree(self.tree, f"set -e\n{script}\n").strip()
        except BuildFailed as failure:
            raise NotSo(f"{script}: {failure}") from None

    def code(self, command: str) -> int:
        """The exit code of a command."""
        return int(self.sh(f"({command}) >/dev/null 2>&1 && echo 0 || echo $?"))

    def put(self, path: str, text: str) -> None:
        """A file of the administrator."""
        (self.tree / path.removeprefix("/")).write_text(text)

    def demand(self, script: str, wanted: str) -> None:
        """`NotSo` unless it prints this."""
        said = self.sh(script)
        if said != wanted:
            raise NotSo(f"{script} says {said!r}, and not {wanted!r}")

    def files(self) -> dict[str, str]:
        """Every path, with what says whether it was changed."""
        listed = self.sh("find / -xdev -mindepth 1 -path /proc -prune -o -printf '%P\\t%y %m %U %G %l\\n'")
        kinds = dict(line.split("\t") for line in listed.split("\n") if not line.startswith(BOOK_KEEPING))
        sums = self.sh("find /etc -xdev -type f -exec sha256sum {} +")
        for line in sums.splitlines():
            of_it, _, path = line.partition("  /")
            if path in kinds:
                kinds[path] += f" {of_it}"
        return kinds

    def changed_since(self, before: dict[str, str]) -> list[str]:
        """Paths that came, went or changed."""
        now = self.files()
        return sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
