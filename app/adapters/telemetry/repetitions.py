"""Limits repeated lines of the log: after some repetitions, a line is written less and less often.

Lines are the same if only their figures differ. Single events (a wake, a fault, a step) are always written.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.domain.events import OperationFailed, PowerUnreadable, StayingUp, UptimeSkipped
from app.domain.figures import without_figures

REPEATED = frozenset(kind.__name__ for kind in (PowerUnreadable, OperationFailed, StayingUp, UptimeSkipped))
"""Domain events that come again at every look or attempt."""

FREE = 5
"""How many are written before repetitions are limited."""
QUIET_S_MIN = 60.0
QUIET_S_MAX = 3600.0
FORGOTTEN_S = 3600.0
"""A line that did not come for this long counts as new."""
LINES_MAX = 500


@dataclass(slots=True)
class _Line:
    written: int = 0
    left_out: int = 0
    quiet_s: float = QUIET_S_MIN
    written_at_s: float = 0.0
    came_at_s: float = 0.0


class Repetitions(logging.Filter):
    """A filter. The next line that passes says how many were left out."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now_s = now_s
        self._lines: dict[str, _Line] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        event = getattr(record, "event", "")
        if event not in REPEATED and (event or record.levelno < logging.WARNING or record.exc_info):
            return True
        line = self._line(_key(record))
        if not self._due(line):
            line.left_out += 1
            return False
        if line.left_out:
            _add(record, line.left_out)
        line.left_out = 0
        return True

    def _line(self, key: str) -> _Line:
        """Drop the line that came longest ago, if there are too many."""
        now_s = self._now_s()
        line = self._lines.pop(key, None)
        if line is None or now_s - line.came_at_s > FORGOTTEN_S + line.quiet_s:
            line = _Line()
        line.came_at_s = now_s
        self._lines[key] = line
        if len(self._lines) > LINES_MAX:
            del self._lines[next(iter(self._lines))]
        return line

    def _due(self, line: _Line) -> bool:
        if line.written >= FREE:
            if line.came_at_s - line.written_at_s < line.quiet_s:
                return False
            line.quiet_s = min(2 * line.quiet_s, QUIET_S_MAX)
        line.written += 1
        line.written_at_s = line.came_at_s
        return True


def _key(record: logging.LogRecord) -> str:
    fields: Mapping[str, object] = getattr(record, "fields", {})
    words = [value for value in fields.values() if isinstance(value, str | list)]
    return without_figures(f"{record.name} {record.getMessage()} {words}")


def _add(record: logging.LogRecord, left_out: int) -> None:
    if fields := getattr(record, "fields", None):
        record.fields = {**fields, "left_out": left_out}
    else:
        record.msg, record.args = f"{record.getMessage()} ({left_out} such lines were left out)", None
