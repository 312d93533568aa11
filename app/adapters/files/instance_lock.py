"""One daemon for each node of a host: a lock that the kernel lets go of when its holder ends, however it ends."""

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
    """Another process does this for the same node."""

    exit_code = 75
    """EX_TEMPFAIL: it can be started once the other has ended."""


class InstanceLock:
    """A file in the first of these directories that can be used.

    Where none can, the program runs all the same: a full disk must not silence a node.
    """

    def __init__(self, directories: Sequence[Path]) -> None:
        self._directories = directories
        self._descriptor: int | None = None

    def take(self, name: str, who: str) -> None:
        """Until `release`, or the end of the process; `AlreadyRunning` if another has it. ``who`` is for its text."""
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
                    f"{who} runs on this host already: {holder} holds {path}; stop that one first, or leave it at that"
                ) from None
            except OSError as error:
                os.close(descriptor)
                problems.append(f"{path}: {error.strerror}")
                continue
            self._descriptor = descriptor
            _sign(descriptor)
            return
        why = "; ".join(problems)
        log.warning("a second %s would not be noticed: no lock can be had (%s); name a directory by lock.dir", who, why)

    def release(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _open(path: Path) -> int:
    """The file, made if need be; only for reading where another user made it: that is enough for a lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    in_shared = path.parent.parent.stat().st_mode & stat.S_IWOTH
    if in_shared and path.parent.stat().st_uid not in (0, os.geteuid()):
        # In /tmp any user may have made it, to keep this node from running; in /run only root can.
        raise PermissionError(errno.EPERM, "its directory is another user's")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except PermissionError:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    if os.fstat(descriptor).st_uid == os.geteuid():
        # Whatever the umask: other users have to see that it is taken.
        os.fchmod(descriptor, 0o644)
    return descriptor


def _holder(descriptor: int) -> str:
    try:
        return f"process {int(os.pread(descriptor, 20, 0))}"
    except (ValueError, OSError):
        return "another process"


def _sign(descriptor: int) -> None:
    """Write down who holds it. A full disk, or a file of another user, leaves it without."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
    except OSError:
        log.debug("the lock does not say who holds it")
