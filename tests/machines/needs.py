"""What the machines need of this host, checked all at once before anything is begun."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping

PROGRAMS: Mapping[str, str] = {
    "qemu-system-x86_64": "qemu-system-x86",
    "debootstrap": "debootstrap",
    "mke2fs": "e2fsprogs",
    "debugfs": "e2fsprogs",
    "chroot": "coreutils",
    "git": "git",
}
"""Each with its Debian package."""

ADMIN_PATH = "/usr/sbin:/sbin"
"""Where some of them are, though not on every user's path."""


def missing(image_is_there: Callable[[], bool]) -> list[str]:
    """A line for each thing; root and debootstrap are needed only where there is no image yet of this commit."""
    path = f"{os.environ.get('PATH', os.defpath)}:{ADMIN_PATH}"
    made = shutil.which("git", path=path) is not None and image_is_there()
    needed = [name for name in PROGRAMS if not made or name not in ("debootstrap", "chroot", "mke2fs")]
    lines = [
        f"{name} (Debian: apt-get install {PROGRAMS[name]})" for name in needed if not shutil.which(name, path=path)
    ]
    if not made and os.geteuid() != 0:
        lines.append("root, for debootstrap and chroot (a run as root with --cache DIR makes an image for any user)")
    return lines
