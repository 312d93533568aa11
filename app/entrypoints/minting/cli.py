"""The command ``powerd farm minting``."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import click

from app.domain.minting.ledger import MonthLedger
from app.domain.minting.month import Booking, Loss
from app.domain.minting.period import Period
from app.domain.model import NodeId


@click.command(short_help="What the grid's minting credits each node, and why.")
@click.option(
    "--events", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Judge it."
)
@click.option("--start", required=True, type=click.IntRange(0), metavar="TS", help="Start of the period, Unix seconds.")
@click.option("--end", required=True, type=click.IntRange(0), metavar="TS", help="Its end.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a node.")
@click.option("--explain", type=click.IntRange(0), metavar="NODE", help="This node's period as a list.")
def minting(events: Path, start: int, end: int, explain: int | None, *, as_json: bool) -> None:
    """Judge the nodes' uptime and power events as the grid's minting does, once a period.

    FILE holds one event a line, as JSON, each node's in the order of their time (docs/minting.md).
    """
    if end <= start:
        raise click.UsageError("--end must be later than --start")
    _judge_offline(events, Period(start, end), None if explain is None else NodeId(explain), as_json=as_json)


def _judge_offline(path: Path, period: Period, explain: NodeId | None, *, as_json: bool) -> None:
    from app.entrypoints.minting.offline import judge_file
    from app.entrypoints.minting.table import explanation, json_line, table

    lost_s: defaultdict[int, Counter[Loss]] = defaultdict(Counter)
    bookings: list[Booking] = []

    def on_booking(node: NodeId, booking: Booking) -> None:
        if booking.loss is not None:
            lost_s[node][booking.loss] += booking.lost_s
        if node == explain:
            bookings.append(booking)

    ledger = MonthLedger(period, on_booking)
    judge_file(path, ledger)
    if explain is not None and explain not in ledger.nodes:
        raise click.UsageError(f"{path} holds no event of node {explain}")
    months = [ledger.close(node) for node in ledger.nodes]
    lines: Iterable[str]
    if as_json:
        lines = (json_line(month) for month in months)
    elif explain is None:
        lines = table(period, months, lost_s, period.end_s)
    else:
        lines = explanation(ledger.month(explain), bookings)
    for line in lines:
        click.echo(line)
