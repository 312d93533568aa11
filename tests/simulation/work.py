"""Work for workers that is hard on them: functions of a module, since another process finds them by name."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec

from app.entrypoints.simulator.experiments.result import result_of, simulate
from app.entrypoints.simulator.input.planning import WorldRequest, plan_of
from app.entrypoints.simulator.plan.plan import Plan
from app.entrypoints.simulator.run.outcome import Outcome
from app.entrypoints.simulator.run.run import run, simulate_farm
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.workers.work import Task


def tasks(*seeds: int) -> Iterator[Task]:
    """A run of a tiny world for each seed."""
    for seed in seeds:
        plan = plan_of(WorldRequest(nodes=3, farms=1, hours=2, seed=seed, faults="many"))
        yield Task(seed, f"seed {seed}", msgspec.json.encode(plan))


def kills_its_worker(folder: str, seed: int, times: int, plan: bytes) -> bytes:
    """The run of this seed kills its process (-9) the first ``times`` times; ``folder`` remembers how often."""
    if _plan(plan).seed == seed:
        deaths = len(list(Path(folder).iterdir()))
        if deaths < times:
            Path(folder, f"death {deaths}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return simulate(plan)


def never_ends(folder: str, plan: bytes) -> bytes:
    """Seed 1 is done at once; every other writes its process id to the file ``pid``, and hangs."""
    if _plan(plan).seed != 1:
        Path(folder, "pid").write_text(str(os.getpid()))
        threading.Event().wait()
    return simulate(plan)


def has_a_bug(plan: bytes) -> bytes:
    """Where seed 2 is run."""
    if _plan(plan).seed == 2:
        raise LookupError("no such thing")
    return simulate(plan)


class NoPowerCuts(Promise):
    """A plan breaks it by naming the fault ``power-cut``, and by nothing else."""

    text = "the mains never fail"

    def ended(self) -> None:
        if any(fault.kind == "power-cut" for fault in self.world.plan.faults):
            self.broken(None, "it failed")


def run_with_no_power_cuts(plan: Plan) -> Outcome:
    return run(plan, promises=[NoPowerCuts])


def simulate_with_no_power_cuts(plan: bytes) -> bytes:
    return msgspec.json.encode(result_of(run_with_no_power_cuts(_plan(plan))))


def _plan(plan: bytes) -> Plan:
    return msgspec.json.decode(plan, type=Plan)


def dies_in_farm(folder: Path, farm: int, *, times: int) -> Callable[[bytes], bytes]:
    """The work of one farm, which kills its process the first ``times`` times where the farm is this one."""
    return partial(_dying, str(folder), farm, times)


def _dying(folder: str, farm: int, times: int, plan: bytes) -> bytes:
    deaths = len(list(Path(folder).iterdir()))
    if _plan(plan).farms[0].id == farm and deaths < times:
        Path(folder, f"death {deaths}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return simulate_farm(plan)
