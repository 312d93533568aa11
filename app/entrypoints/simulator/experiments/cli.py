"""``powerd simulate compare``, ``sweep`` and ``explore``: many runs, on all cores or a cluster."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.entrypoints.simulator.input.world_options import FILE, request_of, world_options_without
from app.entrypoints.simulator.report.exit_codes import exit_code
from app.entrypoints.simulator.workers.options import worker_options, workers_of
from app.entrypoints.terminal.ranges import FiniteRange

if TYPE_CHECKING:
    from app.entrypoints.simulator.input.planning import WorldRequest

SEEDS_TO_EXPLORE = "1-800"
"""Some two minutes on two cores."""


@click.command(short_help="Two policies side by side.")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@world_options_without("policy")
@click.option("--json", "as_json", is_flag=True, help="Print figures and differences as one JSON object.")
@click.pass_context
def compare(ctx: click.Context, /, *, a: str, b: str, as_json: bool, **given: Any) -> None:
    """Put two policies side by side: the same farms, workload, faults and seed.

    A and B are always-on, bot, or script:FILE; a bot may have parameters, and every daemon settings:
    bot,awake_min=2,set:wake.first_wakers=3. Exit code 1 if one of them broke a promise, 3 if both kept all and
    nodes are at risk.
    """
    from app.entrypoints.simulator.experiments.show import show_comparison

    ctx.exit(show_comparison((a, b), request_of(given), as_json=as_json))


@click.group(short_help="Many seeds and parameters.", invoke_without_command=True)
@world_options_without("seed", "only-faults")
@click.option("--seeds", default="1-10", show_default=True, help="1-100, or 3,7,20-29.")
@click.option(
    "--grid",
    "grids",
    metavar="KEY=V,V",
    multiple=True,
    help="Values of a world option (load=0.1,0.3), a setting (set:wake.packets=3,10), or a parameter of the bot "
    "(bot:awake_min=1,2); every combination is run. Separate values that hold commas by semicolons.",
)
@click.option("--out", type=FILE, help="A line of JSON per finished run; started again, it runs only what is missing.")
@click.option("--shard", metavar="K/N", help="Only every N-th run, from the K-th on; needs --out. See sweep merge.")
@worker_options
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
@click.pass_context
def sweep(
    ctx: click.Context,
    /,
    *,
    seeds: str,
    grids: tuple[str, ...],
    out: Path | None,
    shard: str | None,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Run every combination of parameters with every seed, and sum up.

    Results are the same on any machine. Exit code 1 if a promise was broken, 2 if a run did not finish,
    3 if nodes are at risk.
    """
    if ctx.invoked_subcommand is not None:
        return
    if shard is not None and out is None:
        raise click.UsageError("--shard needs --out FILE: its results are put together by sweep merge")
    from app.entrypoints.simulator.experiments.grid import grid_of, seeds_of
    from app.entrypoints.simulator.experiments.result import simulate
    from app.entrypoints.simulator.experiments.shards import WHOLE, shard_of
    from app.entrypoints.simulator.experiments.show import show_sweep
    from app.entrypoints.simulator.experiments.sweep import sweep_of

    part = WHOLE if shard is None else shard_of(shard)
    asked = sweep_of(request_of(given), grid_of(grids), seeds_of(seeds), part)
    ctx.exit(show_sweep(asked, workers_of(simulate, workers, scheduler), out=out, as_json=as_json))


@sweep.command(short_help="The shards of a sweep, put together.")
@click.argument("files", metavar="FILE…", type=FILE, nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
@click.pass_context
def merge(ctx: click.Context, /, *, files: tuple[Path, ...], as_json: bool) -> None:
    """Merge the files that every --shard K/N of a sweep wrote, and sum up as one run of the whole sweep does."""
    from app.entrypoints.simulator.experiments.merge import merged
    from app.entrypoints.simulator.experiments.show import show_swept

    ctx.exit(show_swept(merged(files, _request_of_command), as_json=as_json))


def _request_of_command(command: str) -> WorldRequest:
    """The command line ``powerd simulate sweep …``, without what is no option of the world."""
    words = shlex.split(command)[3:]
    given = dict(sweep.make_context("sweep", words, resilient_parsing=False).params)
    for name in ("seeds", "grids", "out", "shard", "workers", "scheduler", "as_json"):
        given.pop(name)
    return request_of(given)


@click.command(short_help="Look for broken promises, with every kind of fault.")
@click.option("--seeds", default=SEEDS_TO_EXPLORE, show_default=True, help="Worlds to make up: 1-800, or 3,7,20-29.")
@click.option("--minutes", type=FiniteRange(0, min_open=True), help="Begin no more runs after this time.")
@worker_options
@click.pass_context
def explore(
    ctx: click.Context, /, *, seeds: str, minutes: float | None, workers: int | None, scheduler: str | None
) -> None:
    """Look for a broken promise in many small worlds, each made up from its seed, with every kind of fault.

    The first seed that breaks one is shrunk to the faults that matter, and one line replays it; exit code 1 then.
    """
    from app.entrypoints.simulator.experiments.exploration import simulate_explored
    from app.entrypoints.simulator.experiments.grid import seeds_of
    from app.entrypoints.simulator.experiments.show import show_exploration

    for_s = None if minutes is None else minutes * 60.0
    good = show_exploration(seeds_of(seeds), workers_of(simulate_explored, workers, scheduler), for_s=for_s)
    ctx.exit(exit_code(kept=good, at_risk=False))
