"""``powerd simulate``: farms in virtual time, run by the very services of the daemon."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from app.entrypoints.simulator.experiments.cli import compare, explore, sweep
from app.entrypoints.simulator.input.world_options import FILE, request_of, world_options
from app.entrypoints.simulator.workers.options import worker_options, workers_of
from app.entrypoints.terminal.ranges import WholeRange

SEED, FARM = WholeRange(), WholeRange(1, 2**32 - 1)

if TYPE_CHECKING:
    from app.entrypoints.simulator.plan.plan import FarmPlan, Plan
    from app.entrypoints.simulator.workers.work import Workers


def _list_faults(ctx: click.Context, _: click.Parameter, *wanted: bool) -> None:
    if any(wanted):
        from app.entrypoints.simulator.faults.kinds import listed

        for line in listed():
            click.echo(line)
        ctx.exit()


def _example(ctx: click.Context, _: click.Parameter, *wanted: bool) -> None:
    if any(wanted):
        from app.entrypoints.simulator.input.example import EXAMPLE

        click.echo(EXAMPLE, nl=False)
        ctx.exit()


@click.group(invoke_without_command=True, short_help="Farms in virtual time, with every kind of fault.")
@world_options
@click.option("--explored", metavar="SEED", type=SEED, help="The world that `make sim` makes up from this seed.")
@click.option("--from-chain", is_flag=True, help="Farms as the chain of the settings has them (with --farm).")
@click.option("--farm", "farm_ids", type=FARM, multiple=True, help="With --from-chain: which farm; may be repeated.")
@worker_options
@click.option("--report", type=FILE, help="Write a page to look at (HTML, self-contained).")
@click.option(
    "--list-faults",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_faults,
    help="Print all kinds of faults, and end.",
)
@click.option(
    "--example",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_example,
    help="Print a farm file with everything in it, and end.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
@click.pass_context
def simulate(
    ctx: click.Context,
    /,
    *,
    explored: int | None,
    from_chain: bool,
    farm_ids: tuple[int, ...],
    workers: int | None,
    scheduler: str | None,
    report: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Run farms in virtual time: the daemon's own services, on a simulated chain, bus, network and machines.

    Exit code 1 if a promise of powerd was broken (docs/simulation.md lists them), 3 if all were kept and
    nodes of the farm are at risk.
    """
    if ctx.invoked_subcommand is not None:
        _nothing_said_before(ctx, ctx.invoked_subcommand)
        return
    _no_contradictions(ctx, explored=explored is not None, from_chain=from_chain)
    from app.entrypoints.simulator.input.planning import chosen, numbers
    from app.entrypoints.simulator.report.show import show

    if explored is not None:
        from msgspec.structs import replace

        from app.entrypoints.simulator.experiments.explore import explored_plan

        plan = explored_plan(explored)
        plan = replace(plan, faults=chosen(plan.faults, numbers(given["only_faults"])))
    else:
        from app.entrypoints.simulator.input.planning import plan_of

        farms: tuple[FarmPlan, ...] = ()
        if from_chain:
            from app.entrypoints.simulator.input.from_chain import farms_from_chain

            farms = farms_from_chain(ctx.obj.settings(), farm_ids)
        plan = plan_of(request_of(given, farms))
    ctx.exit(show(plan, sys.stdout, _workers(plan, workers, scheduler), report=report, as_json=as_json))


def _workers(plan: Plan, workers: int | None, scheduler: str | None) -> Workers | None:
    """None: this process, which is enough for a single farm."""
    from app.entrypoints.simulator.run.run import simulate_farm

    chosen = workers_of(simulate_farm, workers, scheduler)
    return None if scheduler is None and (workers == 1 or len(plan.farms) == 1) else chosen


def _no_contradictions(ctx: click.Context, *, explored: bool, from_chain: bool) -> None:
    """An option that would be ignored is refused."""
    said = {
        str(option.name)
        for option in ctx.command.params
        if ctx.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
    }
    farms = {"nodes", "farms"}
    world = {"farm_file", "from_chain", "hours", "days", "policy", "load", "trace", "faults", "seed", "settings"}
    for option, others in (
        ("explored", farms | world if explored else set()),
        ("from_chain", farms | {"farm_file"} if from_chain else set()),
        ("farm_file", farms if "farm_file" in said else set()),
        ("trace", {"load"} if "trace" in said else set()),
        ("days", {"hours"} if "days" in said else set()),
    ):
        if clash := sorted(said & others):
            names = {str(each.name): each.opts[0] for each in ctx.command.params}
            raise click.UsageError(f"{names[option]} says it already: leave out {names[clash[0]]}")
    if "farm_ids" in said and not from_chain:
        raise click.UsageError("--farm says which farm of the chain is meant: add --from-chain")


def _nothing_said_before(ctx: click.Context, command: str) -> None:
    """An option before the command would be ignored: say where it belongs."""
    for option in ctx.command.params:
        if ctx.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"write {option.opts[0]} after the command: powerd simulate {command} {option.opts[0]} …"
            )


simulate.add_command(compare)
simulate.add_command(sweep)
simulate.add_command(explore)
