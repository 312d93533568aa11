"""Ends the checks in time, even when a call blocks that asyncio can't cancel: a dead disk, a DNS lookup.

The checks run in a daemon thread. The command shows the findings that exist when the time is over.
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
"""Seconds for tasks that end by themselves, and for closing connections."""
LOADING_S_MAX = 60.0
"""Seconds that loading modules can take on a busy machine; they do not count for a check."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``hangs``: a task did not end, and would keep the process from exiting."""

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
