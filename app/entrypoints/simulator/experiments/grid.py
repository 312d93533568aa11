"""Seeds and grids: which runs a sweep has."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from app.entrypoints.simulator.input.planning import WorldRequest, settings_of
from app.entrypoints.simulator.input.world_options import FARMS, FILE, HOURS, LOAD, NODES
from app.entrypoints.simulator.plan.bad_input import BadInput, unknown

RUNS_MAX = 1_000_000

KEYS: dict[str, click.ParamType[Any]] = {
    "nodes": NODES,
    "farms": FARMS,
    "farm-file": FILE,
    "hours": HOURS,
    "policy": click.STRING,
    "load": LOAD,
    "trace": FILE,
    "faults": click.STRING,
}
"""World options that can be varied; besides ``set:KEY`` for a setting and ``bot:PARAMETER`` for the bot's."""

Grid = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Point:
    """One combination of a grid's values."""

    values: Mapping[str, str]
    request: WorldRequest

    @property
    def name(self) -> str:
        """``load=0.1 policy=bot``."""
        return " ".join(f"{key}={value}" for key, value in self.values.items())


def written(seeds: Sequence[int]) -> str:
    """As `seeds_of` reads it: a thousand seeds are still a short word of a command line."""
    ranges: list[list[int]] = []
    for seed in seeds:
        if ranges and seed == ranges[-1][1] + 1:
            ranges[-1][1] = seed
        else:
            ranges.append([seed, seed])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in ranges)


def seeds_of(text: str) -> tuple[int, ...]:
    """``1-100`` or ``3,7,20-29``, each once, in this order."""
    seeds: dict[int, None] = {}
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,18})\s*(?:-\s*(\d{1,18})\s*)?", part)
        if not found:
            raise BadInput(f"--seeds {text!r}: {part!r} is neither a seed nor a range; write 1-100, or 3,7,20-29")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise BadInput(f"--seeds {text!r}: {part!r} ends before it begins; write {last}-{first}")
        if last - first >= RUNS_MAX:
            raise BadInput(f"--seeds {text!r}: {last - first + 1:,} seeds are too many; at most {RUNS_MAX:,}")
        seeds.update(dict.fromkeys(range(first, last + 1)))
    return tuple(seeds)


def grid_of(texts: Sequence[str]) -> Grid:
    """``load=0.1,0.3``; values that hold commas are separated by semicolons: ``policy=bot;bot,awake_min=2``."""
    grid: Grid = {}
    for text in texts:
        key, equals, rest = text.partition("=")
        values = [value.strip() for value in rest.split(";" if ";" in rest else ",")]
        if not equals or not all(values):
            raise BadInput(f"--grid {text!r}: write KEY=VALUE,VALUE, such as load=0.1,0.3")
        if key not in KEYS and not key.startswith(("set:", "bot:")):
            what = unknown("key", key, [*KEYS, "set:KEY", "bot:PARAMETER"])
            raise BadInput(f"--grid {text!r}: {what}{' (seeds go by --seeds)' if key in ('seed', 'seeds') else ''}")
        if key in grid:
            raise BadInput(f"--grid {key} is given twice; write all its values into one: --grid {key}=VALUE,VALUE")
        grid[key] = tuple(dict.fromkeys(values))
    return grid


def points_of(request: WorldRequest, grid: Grid) -> tuple[Point, ...]:
    """Every combination, the last key varying fastest."""
    points = []
    for combination in itertools.product(*grid.values()):
        values = dict(zip(grid, combination, strict=True))
        points.append(Point(values, _with(request, values)))
    return tuple(points)


def _with(request: WorldRequest, values: Mapping[str, str]) -> WorldRequest:
    changes: dict[str, object] = {}
    for key, text in values.items():
        if key in KEYS:
            try:
                changes[key.replace("-", "_")] = KEYS[key].convert(text, None, None)
            except click.BadParameter as error:
                raise BadInput(f"--grid {key}: {error.message}") from error
    settings = settings_of([f"{key.removeprefix('set:')}={values[key]}" for key in values if key.startswith("set:")])
    request = replace(request, **changes, settings={**request.settings, **settings})  # type: ignore[arg-type]  # its option made it
    # The bot's parameters are no matter to another policy: always-on can stand beside them in one grid.
    bot = [f",{key.removeprefix('bot:')}={value}" for key, value in values.items() if key.startswith("bot:")]
    return replace(request, policy=request.policy + "".join(bot)) if request.policy.startswith("bot") else request
