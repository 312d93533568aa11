"""Writes the log without waiting for a reader that stands still: a stopped journald, a zinit that hangs, Ctrl-S."""

from __future__ import annotations

import logging
import select
from typing import TextIO

WAIT_MS = 500
"""For a reader that is only slow. After a line was lost, powerd does not wait until the reader goes on."""

PIECE = 1024
"""Characters that are written at once: 4096 bytes at most, which a pipe or a socket that is ready takes."""


class UnreadHandler(logging.StreamHandler[TextIO]):
    """Lines that the reader does not take are lost; a line says how many, once it reads again."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._lost = 0
        self._torn = False
        self._poll = select.poll()
        try:
            self._poll.register(stream.fileno(), select.POLLOUT)
        except (OSError, ValueError):  # a stream in memory, or a closed one
            self._ready = True
        else:
            self._ready = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self._lost and self._write(self.format(_about(self._lost))):
                self._lost = 0
            if self._lost or not self._write(self.format(record)):
                self._lost += 1
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 - as in the base class
            self.handleError(record)

    def _write(self, line: str) -> bool:
        text = f"{self.terminator if self._torn else ''}{line}{self.terminator}"
        for start in range(0, len(text), PIECE):
            if not (self._ready or self._poll.poll(0 if self._lost else WAIT_MS)):
                self._torn = self._torn or start > 0
                return False
            self.stream.write(text[start : start + PIECE])
            self.flush()
        self._torn = False
        return True


def _about(lost: int) -> logging.LogRecord:
    what = "%d lines of the log are lost, since no program read them; powerd went on meanwhile"
    return logging.LogRecord("powerd", logging.WARNING, __file__, 0, what, (lost,), None)
