"""Remedies for errors of this process or machine, which say nothing about the file or command that met them."""

from __future__ import annotations

import errno
from collections.abc import Mapping

_REMEDIES: Mapping[int | None, str] = {
    errno.EMFILE: (
        "this process has as many open files as its limit allows: restart it; if that comes again, raise the limit "
        "(LimitNOFILE= of its systemd unit, ulimit -n)"
    ),
    errno.ENFILE: (
        "this machine has as many open files as its limit allows: find the program that has them (lsof), or raise "
        "fs.file-max"
    ),
    errno.ENOMEM: "this machine, or the service, has no memory left: end what needs too much, or raise MemoryMax=",
}


def remedy_of(error: OSError, usual: str = "") -> str:
    """``usual`` where the error is about the file or command itself."""
    return _REMEDIES.get(error.errno, usual)
