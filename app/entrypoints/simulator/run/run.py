"""Runs a plan, farm by farm: in this process, or on workers, with the same outcome to the byte."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from app.domain.errors import PermanentError
from app.entrypoints.simulator.plan.farmer_policies import FarmerPolicy, policy_of
from app.entrypoints.simulator.plan.plan import Plan, PolicyPlan
from app.entrypoints.simulator.promises import ALL
from app.entrypoints.simulator.run.farm_plans import farm_plans
from app.entrypoints.simulator.run.farm_run import Parts, run_farm
from app.entrypoints.simulator.run.merging import Details, Merging
from app.entrypoints.simulator.run.outcome import Outcome
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.workers.work import Failed, Task, Workers
from app.entrypoints.simulator.world.surroundings import Assembler
from app.entrypoints.wiring.node_services import assemble

Progress = Callable[[float], None]
"""Called now and then with the virtual seconds that all nodes have passed together."""


class FarmNotSimulated(PermanentError):
    """No worker finished a farm, so that there are no figures for the whole run.

    The program ends with 2, since 1 means that a promise was broken.
    """

    exit_code = 2


def run(
    plan: Plan,
    *,
    promises: Sequence[type[Promise]] = ALL,
    progress: Progress = lambda _: None,
    build: Assembler = assemble,
    policy: Callable[[PolicyPlan], FarmerPolicy] = policy_of,
    details: Details = Details.ALL,
) -> Outcome:
    """The whole run, in this process. Deterministic: the plan says everything.

    ``promises``, ``build`` and ``policy`` are `Parts`.
    """
    began_s = time.perf_counter()
    parts = Parts(promises, build, policy)
    merging = Merging(plan, details)
    passed_s = 0.0
    for number, farm in enumerate(farm_plans(plan)):
        merging.add(number, run_farm(farm, parts, _progress_of(progress, passed_s, farm.nodes)))
        passed_s += farm.nodes * farm.end_s
    return merging.outcome(time.perf_counter() - began_s)


def run_on(
    workers: Workers, plan: Plan, *, progress: Progress = lambda _: None, details: Details = Details.ALL
) -> Outcome:
    """The same, each farm on one of many workers (whose work is `simulate_farm`); they may finish in any order.

    Raises `FarmNotSimulated`, once the other farms are done.
    """
    began_s = time.perf_counter()
    merging = Merging(plan, details)
    passed_s = 0.0
    failed: list[Failed] = []
    for ended in workers.each(_tasks(plan)):
        if isinstance(ended, Failed):
            failed.append(ended)
            continue
        merging.add(ended.task.key, msgspec.json.decode(ended.answer, type=Outcome))
        passed_s += len(plan.farms[ended.task.key].nodes) * plan.end_s
        progress(passed_s)
    if failed:
        first = min(failed, key=lambda each: int(each.task.key))
        more = f", nor were {len(failed) - 1:,} others" if len(failed) > 1 else ""
        raise FarmNotSimulated(
            f"{first.task.name} was not simulated{more}: {first.reason}; there are no figures without it, so run the "
            "same command again (the same seed gives the same run)"
        )
    return merging.outcome(time.perf_counter() - began_s)


def simulate_farm(plan: bytes) -> bytes:
    """The work of a worker: a plan of one farm in, its `Outcome` out, both as JSON."""
    outcome = run_farm(msgspec.json.decode(plan, type=Plan), Parts(), lambda _: None)
    return msgspec.json.encode(outcome)


def _tasks(plan: Plan) -> Iterator[Task]:
    for number, farm in enumerate(farm_plans(plan)):
        yield Task(number, f"farm {farm.farms[0].id}", msgspec.json.encode(farm))


def _progress_of(progress: Progress, passed_s: float, nodes: int) -> Progress:
    return lambda now_s: progress(passed_s + nodes * now_s)
