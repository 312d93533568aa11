"""Domain events as lines of the log, for people (``key=value``) or for programs (JSON lines)."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TextIO

from app.adapters.telemetry.repetitions import Repetitions
from app.adapters.telemetry.sentences import Value, line_of
from app.adapters.telemetry.unread import UnreadHandler
from app.domain.events import DomainEvent
from app.domain.measurements import Measurement
from app.domain.model import Fault

Layout = Literal["text", "json"]

OWN_LOGGERS = ("app", "powerd")


class LogTelemetry:
    """`Telemetry` that writes each event to ``logger`` as one line."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def record(self, event: DomainEvent) -> None:
        """Log it, at the level of its kind."""
        line = line_of(event)
        extra = {"event": line.event, "fields": line.fields}
        self._logger.log(line.level, line.sentence, extra=extra)

    def measure(self, measurement: Measurement) -> None:
        """No line for it."""


class TextFormatter(logging.Formatter):
    """``2026-01-31T08:15:00.250Z INFO waking a node node=7 attempt=1 reason="target is Up"``.

    Without the time where ``timed`` is False, since the journal adds its own.
    """

    def __init__(self, *, timed: bool = True) -> None:
        super().__init__()
        self._timed = timed

    def format(self, record: logging.LogRecord) -> str:
        """One line, and below it the traceback if there is one."""
        words = [_timestamp(record)] if self._timed else []
        words += [record.levelname, one_line(record.getMessage())]
        words += [f"{name}={_quoted(value)}" for name, value in _facts(record).items()]
        line = " ".join(words)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message; an event's name and facts beside."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback is a field of it."""
        line: dict[str, object] = {
            "time": _timestamp(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if event := getattr(record, "event", None):
            line |= {"event": event, "facts": _facts(record)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class JournalFormatter(logging.Formatter):
    """The text of ``inner``, each line with its priority as systemd reads it (sd-daemon(3)): ``<4>WARNING …``.

    With it, `journalctl -p warning -u powerd` works.
    """

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        priority = next(priority for level, priority in PRIORITIES if record.levelno >= level)
        return "\n".join(f"<{priority}>{line}" for line in self._inner.format(record).split("\n"))


PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (0, 7))
"""syslog's priorities, each by the lowest level that has it."""


def goes_to_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether systemd connected this stream to its journal, as ``JOURNAL_STREAM`` says (systemd.exec(5))."""
    try:
        place = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environment.get("JOURNAL_STREAM") == f"{place.st_dev}:{place.st_ino}"


def setup_logging(level: str, layout: Layout, stream: TextIO | None = None) -> None:
    """Send the log to ``stream`` (stderr), in place of earlier handlers. Raises `ValueError` for an unknown level.

    ``level`` is for powerd's own lines. Libraries log one level higher, since substrate-interface and
    websockets log every message at DEBUG. Call it before substrate-interface is used, which calls the bare
    ``logging.debug()``: that installs its own handler if there is none.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"{level!r} is no log level; say debug, info, warning or error")
    out = sys.stderr if stream is None else stream
    journal = goes_to_journal(out, os.environ)
    handler = UnreadHandler(out)
    formatter = JsonFormatter() if layout == "json" else TextFormatter(timed=not journal)
    handler.setFormatter(JournalFormatter(formatter) if journal else formatter)
    handler.addFilter(Repetitions())
    logging.basicConfig(level=number + 10, handlers=[handler], force=True)
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(number)


def _facts(record: logging.LogRecord) -> Mapping[str, Value]:
    facts: Any = getattr(record, "fields", {})
    return facts  # type: ignore[no-any-return]  # the callers set plain values


def _timestamp(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"


def _quoted(value: Value) -> str:
    """A value as one word; in JSON's quotes if it has blanks or special characters."""
    if isinstance(value, list):
        return ",".join(_quoted(item) for item in value) or "none"
    text = "none" if value is None else str(value)
    plain = text.isprintable() and not set(text) & set(' "=')
    return text if plain and text else json.dumps(text, ensure_ascii=not text.isprintable())


def one_line(text: str) -> str:
    """Escape control characters: text from outside must not fake lines, or control a terminal."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


class NoDisplay:
    """`FaultDisplay` that shows nothing, since a second line in the log would look like a second fault."""

    async def show(self, faults: Sequence[Fault]) -> None:
        """Do nothing."""
