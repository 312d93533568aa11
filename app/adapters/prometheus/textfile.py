"""Metrics as a file for node_exporter's textfile collector, which never sees a half of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.adapters.linux.daemon_thread import DaemonThread
from app.domain.errors import RetryableError

READABLE = 0o644
"""node_exporter runs as another user, and the service's umask lets no other user read."""
WRITE_S_MAX = 10.0


class TextfileNotWritten(RetryableError):
    """The file can't be written now."""


class Textfile:
    """Written beside, and moved into place; in a thread, since a disk may hang."""

    def __init__(self, path: Path, text: Callable[[], bytes]) -> None:
        self._path = path
        self._text = text
        self._thread = DaemonThread("powerd-metrics", WRITE_S_MAX)

    async def write(self) -> None:
        """What the metrics are now; raises `TextfileNotWritten`."""
        text = self._text()
        await self._do(lambda: self._write(text))

    async def remove(self) -> None:
        """A daemon that does not run has no metrics."""
        await self._do(lambda: self._path.unlink(missing_ok=True))

    async def _do(self, work: Callable[[], None]) -> None:
        try:
            await self._thread.run(work)
        except TimeoutError:
            raise TextfileNotWritten(f"{self._path} was not written within {WRITE_S_MAX:g} s") from None
        except OSError as error:
            raise TextfileNotWritten(f"{self._path} can't be written: {error.strerror}") from error

    def _write(self, text: bytes) -> None:
        # Not *.prom: node_exporter reads every file of that name.
        beside = self._path.with_name(f".{self._path.name}.new")
        beside.write_bytes(text)
        beside.chmod(READABLE)
        beside.replace(self._path)
