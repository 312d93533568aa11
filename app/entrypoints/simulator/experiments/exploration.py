"""Looks for broken promises in many made-up worlds, on all cores; a finding is shrunk and can be replayed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from app.domain.errors import PermanentError
from app.entrypoints.simulator.experiments.coverage import cells, cells_asked, reached_by
from app.entrypoints.simulator.experiments.explore import Finding, Runner, explored_plan, investigate
from app.entrypoints.simulator.experiments.result import Result, result_of
from app.entrypoints.simulator.plan.plan import FaultPlan, Plan
from app.entrypoints.simulator.report.summary import clock, verdict
from app.entrypoints.simulator.run.merging import Details
from app.entrypoints.simulator.run.run import run
from app.entrypoints.simulator.workers.work import Done, Failed, Task, Workers


class SeedNotFinished(PermanentError):
    """A run was not finished. The program ends with 2, since 1 means that a promise was broken."""

    exit_code = 2


@dataclass(slots=True)
class Explored:
    """How far the exploration came: ``first`` is the first seed that broke a promise, or that did not finish."""

    seeds: int = 0
    faults: int = 0
    reached: set[str] = field(default_factory=set)
    first: Done | Failed | None = None


def explore(
    seeds: Sequence[int], workers: Workers, *, for_s: float | None = None, passed: Callable[[], None] = lambda: None
) -> Explored:
    """Runs seeds in their order until one fails, or the time is over.

    Seeds before the failing one that still run are waited for, so that the first is the first whatever the workers.
    """
    explored = Explored()
    until_s = float("inf") if for_s is None else time.monotonic() + for_s
    order = {seed: number for number, seed in enumerate(seeds)}

    def tasks() -> Iterator[Task]:
        for seed in itertools.takewhile(lambda _: explored.first is None and time.monotonic() < until_s, seeds):
            yield Task(seed, f"seed {seed}", msgspec.json.encode(explored_plan(seed)))

    for ended in workers.each(tasks()):
        explored.seeds += 1
        passed()
        if isinstance(ended, Done):
            result = msgspec.json.decode(ended.answer, type=Result)
            explored.faults += result.figures.faults
            explored.reached.update(result.reached)
            if result.kept:
                continue
        if explored.first is None or order[ended.task.key] < order[explored.first.task.key]:
            explored.first = ended
    return explored


def simulate_explored(plan: bytes) -> bytes:
    """The work of a worker: a plan in, its `Result` with what it reached out, both as JSON."""
    with cells_asked() as asked:
        outcome = run(msgspec.json.decode(plan, type=Plan), details=Details.NONE)
    return msgspec.json.encode(replace(result_of(outcome), reached=[*reached_by(outcome), *cells(asked)]))


def finding_of(seed: int, run: Runner) -> Finding | None:
    """Runs the failing seed once more, here, and shrinks its faults; None if nothing breaks here."""
    outcome = run(explored_plan(seed))
    return None if outcome.kept else investigate(seed, outcome, run)


def lines_of(finding: Finding) -> Iterator[str]:
    """The broken promise, the faults that are needed, and the line that replays it."""
    yield f"SEED {finding.seed} broke a promise:"
    yield from verdict(finding.outcome)
    total = len(finding.outcome.plan.faults)
    if finding.numbers:
        are = "is" if len(finding.numbers) == 1 else "are"
        yield f"{len(finding.numbers)} of its {total} faults {are} enough to break {finding.promise}:"
        for number, fault in zip(finding.numbers, finding.faults, strict=True):
            yield f"    {number:>4}  {fault_line(fault)}"
    else:
        yield f"None of its {total} faults is needed to break {finding.promise}."
    yield f"Replay: {finding.replay}"


def fault_line(fault: FaultPlan) -> str:
    """``00:12:05  packets-lost  farm 2, for 300 s, amount 0.5``."""
    more = f", for {fault.for_s:g} s" if fault.for_s else ""
    amount = f", amount {fault.amount:g}" if fault.amount else ""
    return f"{clock(fault.at_s)}  {fault.kind}  {fault.subject}{more}{amount}"
