"""``powerd farm list``: the farm in tables that fit the terminal, and below them what is wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any, TextIO

from app.adapters.telemetry.log import one_line
from app.entrypoints.farm.farm_choice import which_farm
from app.entrypoints.farm.looking import age_s_of
from app.entrypoints.farm.overview import Overview, overview_of
from app.entrypoints.farm.rows import GROUPS, as_plain, legend, rows
from app.entrypoints.terminal.colour import Paint
from app.entrypoints.terminal.local_time import local
from app.entrypoints.terminal.tables import folded, folds, laid_out, width_of_terminal
from app.entrypoints.wiring.container import Container


def list_farm(container: Container, out: TextIO, *, as_json: bool) -> None:
    """Print it; errors of the chain go to the caller."""
    overview = asyncio.run(_look(container))
    if as_json:
        out.write(json.dumps(_plain(overview), indent=2) + "\n")
    else:
        width = width_of_terminal()
        out.writelines(f"{line}\n" for line in lines(overview, width, Paint(out), fold=folds(out, width)))


async def _look(container: Container) -> Overview:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(container.chain_client().close)
        return await overview_of(container, await which_farm(container))


def lines(overview: Overview, width: int, paint: Paint, *, fold: bool) -> Iterator[str]:
    """The lines of the whole output; ``fold``: long sentences are wrapped at the width."""

    def said(text: str) -> list[str]:
        return folded(one_line(text), width) if fold else [one_line(text)]

    view, risks = overview.view, overview.risks
    count = f"{len(view.members)} node{'s' if len(view.members) > 1 else ''}"
    yield from said(f"farm {view.farm}: {count}, block {view.head.number}, {local(view.head.time_s)}")
    yield from laid_out(rows(overview), GROUPS, width, paint)
    for text in legend(overview):
        yield from said(text)
    for node, reason in risks.items():
        yield from (paint(line, "red") for line in said(f"node {node}: {reason}"))
    yield f"nodes at risk: {len(risks)}"
    if overview.old:
        yield from (paint(line, "red") for line in said(f"ALL OF THIS IS OLD: {overview.old}"))


def _plain(overview: Overview) -> dict[str, Any]:
    view = overview.view
    return {
        "farm": view.farm,
        "block": view.head.number,
        "time_s": view.head.time_s,
        "age_s": round(age_s_of(view.head), 3),
        "nodes": [as_plain(overview, member) for member in view.members],
        "nodes_at_risk": len(overview.risks),
        "old": overview.old or None,
    }
