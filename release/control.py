"""What dpkg reads of the package: its fields, changelog, configuration files and sums."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from release.checkout import Checkout

MAINTAINER = "powerd maintainers <powerd@localhost>"

CONTROL = """\
Package: powerd
Version: {version}
Architecture: amd64
Maintainer: {maintainer}
Installed-Size: {kib}
Depends: {depends}
Recommends: redis-server | valkey-server
Section: admin
Priority: optional
Description: keeps a machine's power state in step with its target on a blockchain
 powerd saves a farmer of the ThreeFold grid electricity: nodes that are not
 used sleep, and wake when they are needed. It powers its node off when the
 chain says so, wakes the sleeping nodes of its farm by Wake-on-LAN, and
 reports the node's uptime.
 .
 The package holds the daemon, the follower of the chain (powerd events), and
 the command line for operators and farmers, with the Python packages that
 they need.
"""

DEPENDS = (
    "libc6 (>= 2.28)",
    "libgcc-s1",
    "systemd (>= 247)",
    "dbus",
    "polkitd | policykit-1",
    "udev",
    "ethtool",
    "passwd",
)


def debian_version(checkout: Checkout) -> str:
    """That of the release, or one that sorts before it and after each earlier commit's."""
    if checkout.released:
        return f"{checkout.version}-1"
    when = datetime.fromtimestamp(checkout.epoch_s, UTC).strftime("%Y%m%d%H%M%S")
    commit = checkout.commit.replace("-", ".") or "unknown"
    return f"{checkout.version}~git{when}.{commit}-1"


def control(checkout: Checkout, python: str, kib: int) -> str:
    """The fields; ``python`` is the minor version (3.11) that the compiled packages are for."""
    major, minor = python.split(".")
    of_python = (f"python{python}", f"python3 (>= {python})", f"python3 (<< {major}.{int(minor) + 1})")
    return CONTROL.format(
        version=debian_version(checkout), maintainer=MAINTAINER, kib=kib, depends=", ".join((*of_python, *DEPENDS))
    )


def changelog(checkout: Checkout) -> str:
    """Debian's, of one entry; what changed for users is in the other one."""
    when = format_datetime(datetime.fromtimestamp(checkout.epoch_s, UTC))
    return (
        f"powerd ({debian_version(checkout)}) unstable; urgency=medium\n\n"
        f"  * Commit {checkout.commit or 'unknown'}; changelog.gz says what changed.\n\n"
        f" -- {MAINTAINER}  {when}\n"
    )


def conffiles(tree: Path) -> str:
    """What the administrator may change, and an upgrade keeps: all of /etc."""
    return "".join(f"/{path}\n" for path in files_of(tree) if path.startswith("etc/"))


def md5sums(tree: Path) -> str:
    """By which dpkg finds files that were changed (``dpkg --verify``)."""
    lines = (
        f"{hashlib.md5((tree / path).read_bytes(), usedforsecurity=False).hexdigest()}  {path}\n"
        for path in files_of(tree)
        if not path.startswith("etc/") and not (tree / path).is_symlink()
    )
    return "".join(lines)


def installed_kib(tree: Path) -> int:
    """As dpkg counts: each file rounded up, and one KiB for each directory."""
    return sum(
        -(-path.lstat().st_size // 1024) if path.is_file() and not path.is_symlink() else 1 for path in tree.rglob("*")
    )


def files_of(tree: Path) -> Sequence[str]:
    """Relative to the root of the package, sorted; symbolic links too."""
    found = (path for path in tree.rglob("*") if path.is_symlink() or path.is_file())
    return sorted(path.relative_to(tree).as_posix() for path in found)
