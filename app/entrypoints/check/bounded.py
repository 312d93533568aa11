"""Ends in time even where a call blocks that asyncio can't cancel: a dead disk, a name that is not resolved.

The checks run in a daemon thread. What is there when their time is over is what is shown.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from app.entrypoints.check.check import Check
from app.entrypoints.check.finding import Finding, Row, failed
from app.entrypoints.check.run import run
from app.entrypoints.check.subject import Subject

GRACE_S = 3.0
"""For what ends by itself, and for closing connections."""
LOADING_S_MAX = 60.0
"""Modules may take so long to load on a busy machine: no check's time counts that."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``hangs``: something did not end, and would keep the process from ending in order."""

    rows: Sequence[Row]
    hangs: bool = False


class BoundedRun:
    """One run of checks."""

    def __init__(self, checks: Sequence[Check], subject: Subject, *, grace_s: float = GRACE_S) -> None:
        self._checks = checks
        self._subject = subject
        self._grace_s = grace_s
        self._found: dict[str, Sequence[Finding]] = {}
        self._loaded = threading.Event()
        self._defect: BaseException | None = None

    def outcome(self) -> Outcome:
        """Raises what the run itself raised, which is a defect."""
        thread = threading.Thread(target=self._run, name="powerd-check", daemon=True)
        thread.start()
        self._loaded.wait(LOADING_S_MAX)
        thread.join(self._subject.time_s + self._grace_s)
        if self._defect is not None:
            raise self._defect
        rows = [Row(check.name, each) for check in self._checks for each in self._of(check)]
        return Outcome(rows, thread.is_alive())

    def _run(self) -> None:
        try:
            self._subject.load({check.name for check in self._checks})
            self._loaded.set()
            asyncio.run(run(self._checks, self._subject, self._found))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self._defect = error
            self._loaded.set()

    def _of(self, check: Check) -> Sequence[Finding]:
        found = self._found.get(check.name)
        return [failed(f"no answer within {self._subject.time_s:g} s", check.remedy)] if found is None else found
