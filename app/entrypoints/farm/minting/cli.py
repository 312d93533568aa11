"""The command ``powerd farm minting``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.domain.minting.period import Period
from app.domain.model import NodeId
from app.entrypoints.farm.minting.question import CURRENT, PREVIOUS
from app.entrypoints.farm.options import farmer_container, farmer_options, given
from app.entrypoints.terminal.ranges import WholeRange


class WhichPeriod(click.ParamType[str | int]):
    """``current``, ``previous``, or a number of the minting's calendar."""

    name = "period"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | int:
        """The word, or the number."""
        text = str(value)
        if text in (CURRENT, PREVIOUS):
            return text
        if text.isascii() and text.isdigit() and len(text) < 6:
            return int(text)
        return self.fail(f"{value!r} is neither {CURRENT}, {PREVIOUS} nor a period's number", param, ctx)


@click.command(short_help="What the grid's minting credits each node, and why.")
@click.option(
    "--period", type=WhichPeriod(), metavar="current|previous|N", help="Which period; without it the current one."
)
@farmer_options
@click.option(
    "--events",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Judge the events of FILE, and read no chain.",
)
@click.option("--start", type=WholeRange(0, 2**32 - 1), metavar="TS", help="Start of the period, Unix seconds.")
@click.option("--end", type=WholeRange(0, 2**32 - 1), metavar="TS", help="End of the period, Unix seconds.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a node.")
@click.option("--explain", type=WholeRange(0, 2**32 - 1), metavar="NODE", help="Print this node's period as a list.")
@click.pass_context
def minting(
    ctx: click.Context,
    /,
    *,
    period: str | int | None,
    events: Path | None,
    start: int | None,
    end: int | None,
    explain: int | None,
    as_json: bool,
) -> None:
    """Judge the nodes' uptime and power events as the grid's minting does, once a period.

    The events are read from the chain's blocks, and kept in ~/.cache/powerd, so that the next look reads
    only what is new; --chain should name an endpoint that remembers the period (an archive node). A period
    that is not over is judged as if each report that can still come in time does. With --events they are those of
    FILE, one a line, as JSON, each node's in the order of their time (docs/minting.md).
    """
    span = _given_period(start, end)
    if events is not None and (span is None or period is not None or given(ctx)):
        raise click.UsageError("--events needs --start and --end, and excludes --period, --farm and --chain")
    if span is not None and period is not None:
        raise click.UsageError("--period, or --start and --end, not both")
    node = None if explain is None else NodeId(explain)
    if events is not None and span is not None:
        from app.entrypoints.farm.minting.offline import judge_events

        lines = judge_events(events, span, node, as_json=as_json)
    else:
        from app.entrypoints.farm.minting.from_chain import judge_chain
        from app.entrypoints.farm.minting.question import Question

        lines = judge_chain(farmer_container(ctx), Question(span or period or CURRENT, node, as_json))
    for line in lines:
        click.echo(line)


def _given_period(start: int | None, end: int | None) -> Period | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise click.UsageError("--start and --end go together")
    if end <= start:
        raise click.UsageError("--end must be later than --start")
    return Period(start, end)
