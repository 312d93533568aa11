"""Runs every combination of a grid with every seed, and sums up the results."""

from __future__ import annotations

import hashlib
import itertools
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from app.entrypoints.simulator.experiments.grid import Grid, Point, points_of
from app.entrypoints.simulator.experiments.replay import world_words
from app.entrypoints.simulator.experiments.result import Result
from app.entrypoints.simulator.experiments.shards import WHOLE, Shard
from app.entrypoints.simulator.experiments.sweep_file import Header, Run, SweepFile, sweep_file
from app.entrypoints.simulator.input.planning import WorldRequest, plan_of
from app.entrypoints.simulator.workers.work import Done, Failed, Task, Workers, code_digest
from app.entrypoints.simulator.world.world import daemon_settings

Key = tuple[tuple[str, ...], int]
"""A run: the values of its point, and its seed."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """The runs to make."""

    request: WorldRequest
    grid: Grid
    seeds: Sequence[int]
    points: Sequence[Point]
    header: Header
    shard: Shard = WHOLE
    """The part of the sweep that is run here."""

    def in_order(self) -> Iterator[tuple[Point, int]]:
        """Every run of the whole sweep: its point and seed, the seeds varying fastest."""
        return itertools.product(self.points, self.seeds)

    def here(self) -> Iterator[tuple[Point, int]]:
        return (run for place, run in enumerate(self.in_order()) if self.shard.has(place))

    def request_of(self, key: Key) -> WorldRequest:
        point = next(point for point in self.points if tuple(point.values.values()) == key[0])
        return replace(point.request, seed=key[1])


@dataclass(slots=True)
class Swept:
    """The results, in the order of points and seeds, in whatever order they finished."""

    sweep: Sweep
    results: dict[Key, Result] = field(default_factory=dict)
    failed: dict[Key, Failed] = field(default_factory=dict)

    def runs(self) -> Iterator[tuple[Key, Result]]:
        for point, seed in self.sweep.in_order():
            key = key_of(point.values, seed)
            if key in self.results:
                yield key, self.results[key]

    @property
    def first_broken(self) -> tuple[Key, Result] | None:
        return next(((key, result) for key, result in self.runs() if not result.kept), None)


def sweep_of(request: WorldRequest, grid: Grid, seeds: Sequence[int], shard: Shard = WHOLE) -> Sweep:
    """Checks every point before anything runs; raises `BadInput` or `SettingsError` with what is wrong."""
    points = points_of(request, grid)
    digest = hashlib.sha256()
    for point in points:
        plan = plan_of(replace(point.request, seed=0))
        daemon_settings(plan)
        digest.update(msgspec.json.encode(plan))
    grids = [word for key, values in grid.items() for word in ("--grid", f"{key}={';'.join(values)}")]
    command = shlex.join(["powerd", "simulate", "sweep", *world_words(request), *grids])
    header = Header(world=digest.hexdigest()[:16], code=code_digest(), grid=grid, command=command)
    if shard != WHOLE:
        # Which runs are its own depends on all of them: so its seeds stay as they are.
        header = msgspec.structs.replace(header, shard=str(shard), seeds=tuple(seeds))
    return Sweep(request, grid, seeds, points, header, shard)


def run_sweep(
    sweep: Sweep,
    workers: Workers,
    *,
    out: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
    passed: Callable[[], None] = lambda: None,
) -> Swept:
    """Runs that ``out`` holds are not made again; ``passed`` is called for every run that is over."""
    swept = Swept(sweep)
    with ExitStack() as stack:
        file = stack.enter_context(sweep_file(out, sweep.header, say)) if out else None
        for run in file.runs if file else ():
            swept.results[key_of(run.values, run.seed)] = run.result
        done = sum(1 for _ in swept.runs())
        if done:
            say(f"{out}: {done:,} runs are done already")
        for _ in range(done):
            passed()
        for ended in workers.each(_missing(swept)):
            _take(swept, ended, file)
            passed()
    return swept


def _missing(swept: Swept) -> Iterator[Task]:
    for point, seed in swept.sweep.here():
        if key_of(point.values, seed) not in swept.results:
            plan = plan_of(replace(point.request, seed=seed))
            yield Task((point, seed), f"{point.name} seed {seed}".strip(), msgspec.json.encode(plan))


def _take(swept: Swept, ended: Done | Failed, file: SweepFile | None) -> None:
    point, seed = ended.task.key
    key = key_of(point.values, seed)
    if isinstance(ended, Failed):
        swept.failed[key] = ended
        return
    run = Run(values=dict(point.values), seed=seed, result=msgspec.json.decode(ended.answer, type=Result))
    swept.results[key] = run.result
    if file:
        file.append(run)


def key_of(values: Mapping[str, str], seed: int) -> Key:
    return tuple(values.values()), seed
