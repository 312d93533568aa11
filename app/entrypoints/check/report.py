"""Prints findings for people and for programs."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from app.adapters.telemetry.log import one_line
from app.entrypoints.check.finding import Row, Severity, worst
from app.entrypoints.terminal.colour import Colour, Paint

WIDTH_MAX = 100
WIDTH_MIN = 20
NARROW = 60
"""With fewer columns than this the text stands below the name, and not beside it."""
SEVERITIES = max(len(severity.value) for severity in Severity if severity is not Severity.NOT_HERE)
NAMES = 10

COLOURS: Mapping[Severity, Colour] = {
    Severity.OK: "green",
    Severity.WARNING: "yellow",
    Severity.FAILED: "red",
    Severity.SKIPPED: "blue",
}


def write_text(rows: Sequence[Row], took_s: float, out: TextIO) -> None:
    """Checks that are of no use with these settings are left out."""
    width = min(max(shutil.get_terminal_size().columns, WIDTH_MIN), WIDTH_MAX)
    paint = Paint(out)
    shown = [row for row in rows if row.finding.severity is not Severity.NOT_HERE]
    lines = [line for row in shown for line in (_narrow if width < NARROW else _wide)(row, width, paint)]
    out.writelines(f"{line}\n" for line in [*lines, *textwrap.wrap(_sum(shown, took_s), width)])


def write_json(rows: Sequence[Row], took_s: float, out: TextIO) -> None:
    checks = [
        {
            "check": row.check,
            "subject": row.finding.subject or None,
            "severity": row.finding.severity.value,
            "seen": row.finding.seen,
            "remedy": row.finding.remedy or None,
        }
        for row in rows
    ]
    whole = {"severity": worst(rows).value, "took_s": round(took_s, 3), "checks": checks}
    out.write(json.dumps(whole, indent=2) + "\n")


def _wide(row: Row, width: int, paint: Paint) -> Iterator[str]:
    indent = SEVERITIES + NAMES + 2
    lines = _wrapped(row, width - indent)
    word = paint(f"{row.finding.severity.value:<{SEVERITIES}}", COLOURS[row.finding.severity])
    yield f"{word} {row.check:<{NAMES}} {lines[0]}"
    yield from (" " * indent + line for line in lines[1:])


def _narrow(row: Row, width: int, paint: Paint) -> Iterator[str]:
    yield f"{paint(row.finding.severity.value, COLOURS[row.finding.severity])} {row.check}"
    yield from (f"  {line}" for line in _wrapped(row, width - 2))


def _wrapped(row: Row, width: int) -> list[str]:
    finding = row.finding
    seen = f"{finding.subject}: {finding.seen}" if finding.subject else finding.seen
    paragraphs = [seen, *([f"remedy: {finding.remedy}"] if finding.remedy else [])]
    return [line for text in paragraphs for line in textwrap.wrap(one_line(text), width, break_on_hyphens=False)]


def _counted(severity: Severity, count: int) -> str:
    return "warnings" if severity is Severity.WARNING and count > 1 else severity.value


def _sum(rows: Sequence[Row], took_s: float) -> str:
    counts = [(sum(row.finding.severity is severity for row in rows), severity) for severity in Severity]
    shown = ", ".join(f"{count} {_counted(severity, count)}" for count, severity in counts if count)
    return f"{shown}; {took_s:.1f} s"
