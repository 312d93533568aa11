"""Runs checks side by side, each within its time."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping, Sequence

from app.domain.errors import PowerdError
from app.entrypoints.check.check import Check
from app.entrypoints.check.finding import Finding, Severity, failed, of_error, skipped
from app.entrypoints.check.subject import Subject

_Task = asyncio.Task[Sequence[Finding]]


async def run(checks: Sequence[Check], subject: Subject, found: MutableMapping[str, Sequence[Finding]]) -> None:
    """Fill ``found`` by the checks' names; each check has until ``subject.time_s`` from now."""
    deadline_s = asyncio.get_running_loop().time() + subject.time_s
    tasks: dict[str, _Task] = {}
    for check in checks:
        needs = {name: tasks[name] for name in check.needs if name in tasks}
        tasks[check.name] = asyncio.create_task(_one(check, subject, needs, deadline_s), name=f"check {check.name}")
    try:
        for name in asyncio.as_completed([_named(name, task) for name, task in tasks.items()]):
            done = await name
            found[done] = tasks[done].result()
    finally:
        await subject.close()


async def _named(name: str, task: _Task) -> str:
    await task
    return name


async def _one(check: Check, subject: Subject, needs: dict[str, _Task], deadline_s: float) -> Sequence[Finding]:
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
