"""Metrics as a file for node_exporter's textfile collector, which never sees a part of it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from app.adapters.processes.daemon_thread import DaemonThread
from app.domain.errors import RetryableError

READABLE = 0o644
"""node_exporter runs as another user, and the service's umask lets no other user read."""
WRITE_S_MAX = 10.0


class TextfileNotWritten(RetryableError):
    """The file can't be written now."""


class Textfile:
    """Writes another file and renames it, in a thread, since a disk may hang.

    A lock on the written file keeps it ours, so that a second daemon neither replaces nor removes what the first one
    wrote. The kernel releases the lock when the process ends.
    """

    def __init__(self, path: Path, text: Callable[[], bytes]) -> None:
        self._path = path
        self._text = text
        self._ours: int | None = None
        self._thread = DaemonThread("powerd-metrics", WRITE_S_MAX)

    async def write(self) -> None:
        """Write the metrics of now. Raises `TextfileNotWritten`."""
        text = self._text()
        await self._do(lambda: self._write(text))

    async def remove(self) -> None:
        """Remove the file: a daemon that does not run has no metrics."""
        await self._do(self._remove)

    async def _do(self, work: Callable[[], None]) -> None:
        try:
            await self._thread.run(work)
        except TimeoutError:
            raise TextfileNotWritten(f"{self._path} was not written within {WRITE_S_MAX:g} s") from None
        except OSError as error:
            raise TextfileNotWritten(f"{self._path} can't be written: {error.strerror}") from error

    def _write(self, text: bytes) -> None:
        if self._is_anothers():
            raise TextfileNotWritten(f"{self._path} can't be written: another process writes it")
        # Not *.prom: node_exporter reads every file of that name.
        beside = self._path.with_name(f".{self._path.name}.new")
        with beside.open("wb") as file:
            _lock(file.fileno())
            file.write(text)
            file.flush()
            beside.chmod(READABLE)
            beside.replace(self._path)
            self._keep(os.dup(file.fileno()))

    def _remove(self) -> None:
        if self._ours is None or self._is_anothers():
            return
        self._path.unlink(missing_ok=True)
        self._keep(None)

    def _keep(self, descriptor: int | None) -> None:
        before, self._ours = self._ours, descriptor
        if before is not None:
            os.close(before)

    def _is_anothers(self) -> bool:
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return False
        with file:
            if self._ours is not None and os.path.samestat(os.fstat(file.fileno()), os.fstat(self._ours)):
                return False
            return not _lock(file.fileno())


def _lock(descriptor: int) -> bool:
    """False when another process has the lock; where the file system has no locks, no process has one."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
