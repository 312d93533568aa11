"""The options of the command line that describe what is simulated."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import click

from app.entrypoints.simulator.input.planning import WorldRequest
from app.entrypoints.simulator.plan.plan import FarmPlan
from app.entrypoints.terminal.ranges import FiniteRange, WholeRange

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(path_type=Path, dir_okay=False)
NODES = WholeRange(1, 1_000_000)
FARMS = WholeRange(1, 100_000)
HOURS = FiniteRange(0.1, 366 * 24)
"""No node has reported before the first minutes are over, so that every month would be called lost."""
DAYS = FiniteRange(0.01, 366)
LOAD = FiniteRange(0, 1)

WORLD_OPTIONS = {
    "nodes": click.option("--nodes", type=NODES, default=1000, show_default=True, help="Machines in all."),
    "farms": click.option(
        "--farms", type=FARMS, help="The number of farms that share them.  [default: one per 100 nodes]"
    ),
    "farm-file": click.option("--farm-file", type=FILE, help="Farms from a TOML file instead (docs/simulation.md)."),
    "hours": click.option("--hours", type=HOURS, default=24.0, show_default=True, help="Virtual hours."),
    "days": click.option("--days", type=DAYS, help="Virtual days, instead of --hours."),
    "policy": click.option(
        "--policy",
        default="bot",
        show_default=True,
        help="always-on, bot, or script:FILE; a bot with parameters: bot,awake_min=2,wake_threshold=0.6.",
    ),
    "load": click.option("--load", type=LOAD, help="Share of the slots (places for workloads) in use.  [default: 0.2]"),
    "trace": click.option("--trace", type=FILE, help="When which workload comes, from a CSV file."),
    "faults": click.option(
        "--faults",
        default="none",
        show_default=True,
        help="none, few, moderate, many, storm; LEVEL:KIND,KIND; or file:FILE.",
    ),
    "only-faults": click.option(
        "--only-faults", metavar="N,N", default="", help="Only these of the plan's faults, counted from 1; or none."
    ),
    "seed": click.option(
        "--seed", type=WholeRange(), default=1, show_default=True, help="Chance; the same seed gives the same run."
    ),
    "set": click.option("--set", "settings", metavar="KEY=VALUE", multiple=True, help="A setting of every daemon."),
}


def world_options(command: F) -> F:
    return world_options_without()(command)


def world_options_without(*names: str) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        return _decorated(command, names)

    return decorate


def _decorated(command: F, without: Collection[str]) -> F:
    for name, option in reversed(WORLD_OPTIONS.items()):
        if name not in without:
            command = option(command)
    return command


def request_of(given: dict[str, Any], farms: tuple[FarmPlan, ...] = ()) -> WorldRequest:
    """The options as one value; options that a command does not have get their defaults."""
    from app.entrypoints.simulator.input.planning import WorldRequest, numbers, settings_of

    read = {
        "settings": settings_of(given.get("settings", ())),
        "only_faults": numbers(given.get("only_faults", "")),
    }
    days = given.pop("days", None)
    if days is not None:
        read["hours"] = 24.0 * days
    return WorldRequest(**{**given, **read}, given_farms=farms)
