"""Ends the checks in time, even when a call blocks that asyncio can't cancel: a dead disk, a DNS lookup.

The checks run in a daemon thread. The command shows the findings that exist when the time is over.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass

from app.domain.errors import PowerdError
from app.entrypoints.check.check import Check
from app.entrypoints.check.finding import Finding, Row, Severity, failed, of_error, skipped
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


async def run(checks: Sequence[Check], subject: Subject, found: MutableMapping[str, Sequence[Finding]]) -> None:
    """Fill ``found`` by the checks' names; each check has until ``subject.time_s`` from now."""
    deadline_s = asyncio.get_running_loop().time() + subject.time_s
    tasks: dict[str, asyncio.Task[Sequence[Finding]]] = {}

    async def one(check: Check) -> Sequence[Finding]:
        needs = {name: tasks[name] for name in check.needs if name in tasks}
        found[check.name] = await _one(check, subject, needs, deadline_s)
        return found[check.name]

    for check in checks:
        tasks[check.name] = asyncio.create_task(one(check), name=f"check {check.name}")
    try:
        await asyncio.gather(*tasks.values())
    finally:
        await subject.close()


async def _one(
    check: Check, subject: Subject, needs: Mapping[str, Awaitable[Sequence[Finding]]], deadline_s: float
) -> Sequence[Finding]:
    if why := check.not_here(subject):
        return [Finding(Severity.NOT_HERE, why)]
    for name, task in needs.items():
        if {finding.severity for finding in await task} & {Severity.FAILED, Severity.SKIPPED}:
            return [skipped(f"it needs {name}")]
    try:
        async with asyncio.timeout_at(deadline_s):
            return await check.look(subject)
    except TimeoutError:
        return [failed(f"no answer within {subject.time_s:g} s", check.remedy)]
    except PowerdError as error:
        return [of_error(error, check.remedy)]
    except Exception as error:  # noqa: BLE001 - a defect of one check must not hide what the others found
        return [failed(f"this check is broken: {error!r}", "report it, with this line")]
