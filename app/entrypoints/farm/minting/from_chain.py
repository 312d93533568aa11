"""Judges a period of a farm by the chain's blocks."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, closing, contextmanager

import click

from app.adapters.files.minting_record import FileMintingRecord
from app.adapters.files.standings import save_standings
from app.adapters.telemetry.log import one_line
from app.domain.errors import PermanentError, UnknownIdentity
from app.domain.minting.events import TimedBlock
from app.domain.minting.period import LATE_EVENTS_S
from app.domain.minting.standing import Known
from app.domain.model import FarmId, Node
from app.entrypoints.farm.farm_choice import which_farm
from app.entrypoints.farm.minting.cache import record_path, standings_path
from app.entrypoints.farm.minting.period_losses import PeriodLosses
from app.entrypoints.farm.minting.question import Question
from app.entrypoints.farm.minting.reading import PeriodReading, ReadingListener
from app.entrypoints.farm.minting.table import lines_of, moment
from app.entrypoints.terminal.durations import shown_duration
from app.entrypoints.terminal.interrupts import INTERRUPTED
from app.entrypoints.terminal.status_line import StatusLine
from app.entrypoints.wiring.container import Container
from app.ports.farm_history import FarmHistory

BAR_WIDTH = 24
BAR_PAUSE_S = 0.1


class Interrupted(PermanentError):
    """Ctrl-C."""

    exit_code = INTERRUPTED


def judge_chain(container: Container, question: Question) -> Sequence[str]:
    """The lines to print. Raises the errors of the chain, and `Interrupted` after Ctrl-C."""
    try:
        return asyncio.run(_judge(container, question))
    except KeyboardInterrupt:
        raise Interrupted("stopped; what was read is kept, and the same command goes on from there") from None


async def _judge(container: Container, question: Question) -> Sequence[str]:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(container.chain_client().close)
        history: FarmHistory = container.farm_history()
        farm = await which_farm(container)
        newest = await history.newest()
        losses = PeriodLosses(question.period(newest.time_s), question.explain)
        chain_id = await history.chain_id()
        record = stack.enter_context(closing(FileMintingRecord(record_path(chain_id, farm, losses.period))))
        listener = stack.enter_context(_listener(f"farm {farm}"))
        reading = PeriodReading(history, record, farm, losses.period, listener)
        reached = await reading.read(losses.ledger, newest, container.settings().follower.batch_blocks)
        records = await container.farm_chain().nodes(losses.ledger.nodes)
        readable = {node: record for node, record in records.items() if isinstance(record, Node)}
        losses.certified = frozenset(node for node, record in readable.items() if record.certified)
        losses.registered_s = {node: record.registered_s for node, record in readable.items()}
    if reached == newest and reached.time_s <= losses.period.end_s:
        known = {node: Known.of(losses.ledger.month(node), reached.time_s) for node in losses.ledger.nodes}
        save_standings(standings_path(chain_id, farm), known)
    return list(_judged(losses, farm, reached, as_json=question.as_json))


def _judged(losses: PeriodLosses, farm: FarmId, reached: TimedBlock, *, as_json: bool) -> Iterator[str]:
    ledger, period = losses.ledger, losses.period
    if losses.explain is not None and losses.explain not in ledger.nodes:
        raise UnknownIdentity(f"node {losses.explain} is not of farm {farm}")
    if reached.time_s >= period.end_s:
        months = [ledger.close(node) for node in ledger.nodes]
    else:
        months = [ledger.so_far(node, max(reached.time_s, period.start_s)) for node in ledger.nodes]
    yield from lines_of(losses, months, min(reached.time_s, period.end_s), as_json=as_json)
    if not as_json and period.end_s <= reached.time_s < period.end_s + LATE_EVENTS_S:
        yield f"not final: a report may still count that comes before {moment(period.end_s + LATE_EVENTS_S)} UTC"


@contextmanager
def _listener(label: str) -> Iterator[ReadingListener]:
    """Warnings on stderr, and on a terminal a bar that shows the time left."""
    line = StatusLine(sys.stderr)
    began_s = time.monotonic()
    shown_s = 0.0

    def warn(text: str) -> None:
        line.erase()
        click.echo(f"powerd: {one_line(text)}", err=True)

    def show(done: int, total: int) -> None:
        nonlocal shown_s
        now_s = time.monotonic()
        if now_s - shown_s < BAR_PAUSE_S:
            return
        shown_s = now_s
        left_s = (now_s - began_s) / done * (total - done)
        full = BAR_WIDTH * done // total
        bar = f"{'#' * full}{'-' * (BAR_WIDTH - full)}"
        line.show(f"{label} [{bar}] {done:,} of {total:,} blocks, {shown_duration(left_s)} left")

    try:
        yield ReadingListener(warn, show)
    finally:
        line.erase()
