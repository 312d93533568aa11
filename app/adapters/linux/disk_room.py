"""Tries whether a directory takes small files, with a file that has no name and is gone when it is closed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from app.adapters.processes.daemon_thread import DaemonThread

TRIED_BYTES = 4096
NO_NAMELESS_FILES = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL)


async def try_to_keep(directory: Path, timeout_s: float) -> None:
    """Raises ``OSError`` with the path that refused, `TimeoutError` when the disk does not answer.

    Where the directory is missing powerd would make it: then the nearest one that is there is tried.
    """
    await DaemonThread("powerd-room", timeout_s).run(lambda: _try(directory))


def _try(directory: Path) -> None:
    there = next(each for each in (directory, *directory.parents) if each.exists())
    try:
        descriptor = os.open(there, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except OSError as error:
        if error.errno not in NO_NAMELESS_FILES:
            raise
        _ask(there)
        return
    try:
        os.write(descriptor, bytes(TRIED_BYTES))
        os.fsync(descriptor)
    except OSError as error:
        error.filename = str(there)
        raise
    finally:
        os.close(descriptor)


def _ask(there: Path) -> None:
    """A file system without nameless files can only be asked."""
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(there))
    if not os.statvfs(there).f_bavail:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(there))
