"""Writes a run as one page to look at: self-contained, no network, no other file."""

from __future__ import annotations

import html
import os
import re
from importlib.resources import files
from pathlib import Path

import msgspec

from app.domain.errors import PermanentError
from app.entrypoints.simulator.report import report_page
from app.entrypoints.simulator.report.data import report_data
from app.entrypoints.simulator.run.outcome import Outcome

SCRIPTS = ("drawing.js", "charts.js", "node.js", "page.js")
HOLE = re.compile(r"\{\{(\w+)\}\}")


class ReportNotWritten(PermanentError):
    """The page can't be written. The program ends with 2, since 1 means that a promise was broken."""

    exit_code = 2

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"the report {path} can't be written: {reason}; give --report a file in a directory that exists "
            "and that you may write to"
        )


class NoPlaceForReport(ReportNotWritten):
    """Seen before anything is simulated."""


def check_place(path: Path) -> None:
    """Raise `NoPlaceForReport` now, rather than after hours of simulation."""
    try:
        if path.is_dir():
            raise NoPlaceForReport(path, "it is a directory")
        if not path.parent.is_dir():
            raise NoPlaceForReport(path, f"there is no directory {path.parent}")
        allowed = os.access(path if path.exists() else path.parent, os.W_OK, effective_ids=True)
    except OSError as error:
        raise NoPlaceForReport(path, error.strerror or str(error)) from error
    if not allowed:
        raise NoPlaceForReport(path, "permission denied")


def write_report(outcome: Outcome, path: Path) -> None:
    """Write the page, or raise `ReportNotWritten`."""
    page = report_page_of(outcome)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ReportNotWritten(path, error.strerror or str(error)) from error


def report_page_of(outcome: Outcome) -> str:
    data = report_data(outcome)
    parts = {
        "title": html.escape(data.title),
        "style": _part("page.css"),
        "script": "\n".join(_part(name) for name in SCRIPTS),
        "data": embedded(msgspec.json.encode(data)),
    }
    # Replace in one pass, so that data that looks like a placeholder stays as it is.
    return HOLE.sub(lambda hole: parts[hole[1]], _part("page.html"))


def embedded(json: bytes) -> str:
    """JSON that can stand inside of ``<script>``: ``<`` occurs in strings only, where it may be escaped.

    So no ``</script>`` or ``<!--`` of the data ends the element
    (https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements).
    """
    return json.decode().replace("<", "\\u003c")


def _part(name: str) -> str:
    return (files(report_page) / name).read_text(encoding="utf-8")
