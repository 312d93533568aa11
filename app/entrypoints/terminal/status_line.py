"""A line on a terminal that the next one replaces; elsewhere nothing is shown."""

from __future__ import annotations

from typing import TextIO

from app.adapters.telemetry.log import one_line
from app.entrypoints.terminal.tables import width_of_terminal

ERASE = "\r\x1b[K"


class StatusLine:
    """`erase` it before anything else is printed, and at the end."""

    def __init__(self, out: TextIO) -> None:
        self._out = out if out.isatty() else None

    def show(self, text: str) -> None:
        self._write(f"{ERASE}{one_line(text)[: width_of_terminal() - 1]}")

    def erase(self) -> None:
        self._write(ERASE)

    def _write(self, text: str) -> None:
        if self._out is not None:
            self._out.write(text)
            self._out.flush()
