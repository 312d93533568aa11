"""``powerd simulate``: farms in virtual time, run by the very services of the daemon."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from app.entrypoints.simulate.plan import FarmPlan
    from app.entrypoints.simulate.planning import Wish

EXIT_PROMISE_BROKEN = 1

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(path_type=Path, dir_okay=False)

NODES = click.IntRange(1, 1_000_000)
FARMS = click.IntRange(1, 100_000)
HOURS = click.FloatRange(0, min_open=True)

WORLD_OPTIONS = (
    click.option("--nodes", type=NODES, default=1000, show_default=True, help="Machines in all."),
    click.option("--farms", type=FARMS, default=10, show_default=True, help="Shared among so many."),
    click.option("--farm-file", type=FILE, help="Farms from a TOML file instead (docs/simulation.md)."),
    click.option("--hours", type=HOURS, default=24.0, show_default=True, help="Virtual hours."),
    click.option("--policy", default="bot", show_default=True, help="always-on, bot, or script:FILE."),
    click.option("--load", type=click.FloatRange(0, 1), help="Share of the slots that workloads use.  [default: 0.2]"),
    click.option("--trace", type=FILE, help="Workloads from a CSV file."),
    click.option(
        "--faults",
        default="none",
        show_default=True,
        help="none, few, moderate, many, storm; LEVEL:KIND,KIND; or file:FILE.",
    ),
    click.option("--only-faults", metavar="N,N", default="", help="Only these of the plan's faults, counted from 1."),
    click.option("--seed", type=int, default=1, show_default=True, help="Chance; the same seed gives the same run."),
    click.option("--set", "settings", metavar="KEY=VALUE", multiple=True, help="A setting of every daemon."),
)


def world_options(command: F) -> F:
    """The options that describe what is simulated."""
    for option in reversed(WORLD_OPTIONS):
        command = option(command)
    return command


@click.group(invoke_without_command=True, short_help="Farms in virtual time, with everything going wrong.")
@world_options
@click.option("--explored", metavar="SEED", type=int, help="The world that `make sim` makes up from this seed.")
@click.option("--from-chain", is_flag=True, help="Farms as the chain of the settings has them (with --farm).")
@click.option("--farm", "farm_ids", type=int, multiple=True, help="With --from-chain: which farm; may be repeated.")
@click.option("--report", type=FILE, help="Write a page to look at (HTML, self-contained).")
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
@click.pass_context
def simulate(
    ctx: click.Context,
    /,
    *,
    explored: int | None,
    from_chain: bool,
    farm_ids: tuple[int, ...],
    report: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Run farms in virtual time: the daemon's own services, on a simulated chain, bus, network and machines.

    Exit code 1 if a promise of powerd was broken (docs/simulation.md lists them).
    """
    if ctx.invoked_subcommand is not None:
        return
    from app.entrypoints.simulate.planning import chosen, numbers
    from app.entrypoints.simulate.show import show

    if explored is not None:
        from msgspec.structs import replace

        from app.entrypoints.simulate.explore import explored_plan

        plan = explored_plan(explored)
        plan = replace(plan, faults=chosen(plan.faults, numbers(given["only_faults"])))
    else:
        from app.entrypoints.simulate.planning import plan_of

        farms: tuple[FarmPlan, ...] = ()
        if from_chain:
            from app.entrypoints.simulate.from_chain import farms_from_chain

            farms = farms_from_chain(ctx.obj.settings(), farm_ids)
        plan = plan_of(wish_of(given, farms))
    kept = show(plan, sys.stdout, report=report, as_json=as_json)
    ctx.exit(0 if kept else EXIT_PROMISE_BROKEN)


def wish_of(given: dict[str, Any], farms: tuple[FarmPlan, ...] = ()) -> Wish:
    """The options as one value."""
    from app.entrypoints.simulate.planning import Wish, numbers, settings_of

    said = {**given, "settings": settings_of(given["settings"]), "only_faults": numbers(given["only_faults"])}
    return Wish(**said, given_farms=farms)
