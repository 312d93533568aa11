"""Judges a file of events, without a chain."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path

import click

from app.adapters.codecs import minting_events, minting_marks
from app.domain.errors import PermanentError
from app.domain.minting.ledger import EventOutOfPlace, MonthLedger
from app.domain.minting.period import Period
from app.domain.model import NodeId
from app.entrypoints.farm.minting.period_losses import PeriodLosses
from app.entrypoints.farm.minting.table import lines_of


class BadEventFile(PermanentError):
    """``FILE:LINE: reason``."""

    exit_code = 2


def judge_events(path: Path, period: Period, explain: NodeId | None, *, as_json: bool) -> Sequence[str]:
    losses = PeriodLosses(period, explain)
    ledger = losses.ledger
    judge_file(path, ledger)
    if not ledger.nodes and not as_json:
        return [f"{path} holds no event: write one a line, as JSON (docs/minting.md)"]
    if explain is not None and explain not in ledger.nodes:
        raise click.UsageError(f"{path} holds no event of node {explain}")
    months = [ledger.close(node) for node in ledger.nodes]
    return list(lines_of(losses, months, period.end_s, as_json=as_json))


def judge_file(path: Path, ledger: MonthLedger) -> None:
    """Feed the file's events to the ledger; `BadEventFile` names the first line that can't be judged."""
    try:
        with path.open("rb") as lines:
            for number, raw in enumerate(lines, 1):
                # Some editors put a mark in front of text in UTF-8.
                line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
                if line.strip() and not line.startswith(minting_marks.SIGN):
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
