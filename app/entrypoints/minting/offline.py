"""Judges a file of events, without a chain."""

from __future__ import annotations

from pathlib import Path

from app.adapters.codecs import minting_events
from app.domain.errors import PermanentError
from app.domain.minting.ledger import EventOutOfPlace, MonthLedger


class BadEventFile(PermanentError):
    """``FILE:LINE: reason``."""

    exit_code = 2


def judge_file(path: Path, ledger: MonthLedger) -> None:
    """Feed the file's events to the ledger; `BadEventFile` names the first line that can't be judged."""
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    _judge_line(path, number, line, ledger)
    except OSError as error:
        raise BadEventFile(f"{path} can't be read: {error.strerror}") from error


def _judge_line(path: Path, number: int, line: bytes, ledger: MonthLedger) -> None:
    try:
        ledger.add(minting_events.decode(line))
    except ValueError as error:
        raise BadEventFile(f"{path}:{number}: this is no event of a node: {error}") from error
    except EventOutOfPlace as error:
        raise BadEventFile(f"{path}:{number}: {error}") from error
