"""One daemon for each node on a host: a lock that the kernel releases whenever its process ends."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from app.domain.errors import PermanentError

log = logging.getLogger(__name__)


class AlreadyRunning(PermanentError):
    """Another process runs for the same node."""

    exit_code = 75
    """EX_TEMPFAIL: a later start may succeed, when the other process has ended."""


class InstanceLock:
    """A lock file in the first of these directories that can be used.

    If none can, the program runs without a lock: a full disk must not stop a node's reports.
    """

    def __init__(self, directories: Sequence[Path]) -> None:
        self._directories = directories
        self._descriptor: int | None = None

    def take(self, name: str, who: str) -> None:
        """Lock until `release` or the end of the process. Raises `AlreadyRunning`, whose text begins with ``who``."""
        problems = []
        for directory in self._directories:
            path = directory / f"{name}.lock"
            try:
                descriptor = _open(path)
            except OSError as error:
                problems.append(f"{path}: {error.strerror}")
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = _holder(descriptor)
                os.close(descriptor)
                raise AlreadyRunning(
                    f"{who} runs on this host already: {holder} holds {path}; stop that one first, or leave it running"
                ) from None
            except OSError as error:
                os.close(descriptor)
                problems.append(f"{path}: {error.strerror}")
                continue
            self._descriptor = descriptor
            _sign(descriptor)
            return
        why = "; ".join(problems)
        log.warning(
            "a second %s would not be noticed, since no lock file can be used (%s); name a directory in lock.dir",
            who,
            why,
        )

    def release(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _open(path: Path) -> int:
    """Open or create the file. If another user made it, it is opened for reading, which is enough for a lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    in_shared = path.parent.parent.stat().st_mode & stat.S_IWOTH
    if in_shared and path.parent.stat().st_uid not in (0, os.geteuid()):
        # In /tmp any user can make it, to keep this node from running; in /run only root can.
        raise PermissionError(errno.EPERM, "its directory is another user's")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except PermissionError:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    if os.fstat(descriptor).st_uid == os.geteuid():
        # Whatever the umask: other users must be able to see that it is locked.
        os.fchmod(descriptor, 0o644)
    return descriptor


def _holder(descriptor: int) -> str:
    try:
        return f"process {int(os.pread(descriptor, 20, 0))}"
    except (ValueError, OSError):
        return "another process"


def _sign(descriptor: int) -> None:
    """Write the process id into it. On a full disk, or in another user's file, it stays without."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
    except OSError:
        log.debug("the lock does not say who holds it")
