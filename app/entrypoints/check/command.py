"""``powerd check``: runs, prints, and says by its exit code how bad it is."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from app.domain.errors import PermanentError, PowerdError
from app.domain.model import NodeId
from app.entrypoints.check.bounded import BoundedRun, Outcome
from app.entrypoints.check.finding import Row, Severity, failed, worst
from app.entrypoints.check.report import write_json, write_text
from app.entrypoints.check.subject import Subject
from app.entrypoints.check.table import CHECKS
from app.entrypoints.settings.keys import SettingsError
from app.entrypoints.settings.schema import Settings

LOOKS_S = 30.0
"""For what has to be asked of the chain before a packet is sent, or named after one was heard."""

Loader = Callable[[], tuple[Settings, Mapping[str, str]]]
"""The settings, and where each came from; raises `SettingsError`."""

EXIT_CODES: Mapping[Severity, int] = {Severity.OK: 0, Severity.WARNING: 1, Severity.FAILED: 2}


class NotTried(PermanentError):
    """What was asked for can't even be tried; a failure, as a finding that failed is."""

    exit_code = EXIT_CODES[Severity.FAILED]


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """``only`` names checks; none: all. ``warnings_pass``: they end with 0."""

    only: Sequence[str]
    time_s: float
    as_json: bool
    warnings_pass: bool


def check_all(load: Loader, request: CheckRequest, out: TextIO) -> tuple[int, bool]:
    """Print what was found; returns the exit code, and whether something hangs that would not let the process end."""
    began_s = time.monotonic()
    outcome = _outcome(load, request)
    write = write_json if request.as_json else write_text
    write(outcome.rows, time.monotonic() - began_s, out)
    found = worst(outcome.rows)
    passes = found is Severity.WARNING and request.warnings_pass
    return 0 if passes else EXIT_CODES[found], outcome.hangs


def wake_node(load: Loader, node: int, wait_s: float, out: TextIO) -> int:
    """Call a sleeper; returns the exit code, raises `PowerdError` where nothing can be tried."""
    from app.entrypoints.check.wake import wake

    return _with_subject(load, lambda subject: wake(subject, NodeId(node), wait_s, out))


def allow_trial(load: Loader, out: TextIO) -> None:
    """Let the daemon of this node power off once; raises `PowerdError` where that can't be written down."""
    from app.entrypoints.check.trial import allow

    settings, _ = load()
    asyncio.run(allow(settings, out))


def hear_packet(load: Loader, wait_s: float, out: TextIO) -> int:
    """Wait for a magic packet; as `wake_node`."""
    from app.entrypoints.check.hear import hear_one

    return _with_subject(load, lambda subject: hear_one(subject, wait_s, out))


def _with_subject(load: Loader, work: Callable[[Subject], Coroutine[object, object, Severity]]) -> int:
    settings, origins = load()

    async def body() -> Severity:
        return await work(Subject(settings, origins, LOOKS_S))

    with _quiet():
        try:
            return EXIT_CODES[asyncio.run(body())]
        except PowerdError as error:
            if error.exit_code != PowerdError.exit_code:
                raise
            raise NotTried(str(error)) from error


def _outcome(load: Loader, request: CheckRequest) -> Outcome:
    try:
        settings, origins = load()
    except SettingsError as error:
        return Outcome([Row("settings", failed(str(error), "docs/configuration.md lists every key"))])
    chosen = [each for each in CHECKS if not request.only or each.name in request.only]
    with _quiet():
        return BoundedRun(chosen, Subject(settings, origins, request.time_s)).outcome()


@contextmanager
def _quiet() -> Iterator[None]:
    """What the adapters log is in the findings."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
