"""``powerd check``: runs, prints, and says by its exit code how bad it is."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from app.entrypoints.check.finding import Row, Severity, failed, worst
from app.entrypoints.check.report import write_json, write_text
from app.entrypoints.check.run import run
from app.entrypoints.check.subject import Subject
from app.entrypoints.check.table import CHECKS
from app.entrypoints.settings.keys import SettingsError
from app.entrypoints.settings.schema import Settings

Loader = Callable[[], tuple[Settings, Mapping[str, str]]]
"""The settings, and where each came from; raises `SettingsError`."""

EXIT_CODES: Mapping[Severity, int] = {Severity.OK: 0, Severity.WARNING: 1, Severity.FAILED: 2}


@dataclass(frozen=True, slots=True)
class Wish:
    """``only`` names checks; none: all. ``warnings_pass``: they end with 0."""

    only: Sequence[str]
    time_s: float
    as_json: bool
    warnings_pass: bool


def check_all(load: Loader, wish: Wish, out: TextIO) -> int:
    """Print what was found; returns the exit code."""
    began_s = time.monotonic()
    rows = _rows(load, wish)
    write = write_json if wish.as_json else write_text
    write(rows, time.monotonic() - began_s, out)
    found = worst(rows)
    return 0 if found is Severity.WARNING and wish.warnings_pass else EXIT_CODES[found]


def _rows(load: Loader, wish: Wish) -> list[Row]:
    try:
        settings, origins = load()
    except SettingsError as error:
        return [Row("settings", failed(str(error), "docs/configuration.md lists every key"))]
    chosen = [each for each in CHECKS if not wish.only or each.name in wish.only]

    async def all_of_it() -> list[Row]:
        return await run(chosen, Subject(settings, origins, wish.time_s))

    with _quiet():
        return asyncio.run(all_of_it())


@contextmanager
def _quiet() -> Iterator[None]:
    """What the adapters log is in the findings."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
