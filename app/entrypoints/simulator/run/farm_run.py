"""Runs the world of one farm in virtual time, and returns its outcome."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from app.adapters.simulated.clock import VirtualLoop
from app.entrypoints.simulator.faults.schedule import schedule
from app.entrypoints.simulator.plan.farmer_policies import FarmerPolicy, policy_of
from app.entrypoints.simulator.plan.plan import Plan, PolicyPlan
from app.entrypoints.simulator.promises import ALL
from app.entrypoints.simulator.run.farmer import Farmer
from app.entrypoints.simulator.run.outcome import Outcome, outcome_of
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.watching.tally import Tally
from app.entrypoints.simulator.watching.watch import Watch
from app.entrypoints.simulator.world.surroundings import Assembler
from app.entrypoints.simulator.world.world import World
from app.entrypoints.wiring.node_services import assemble

MINUTE_S = 60.0
SAMPLE_MINUTES = 5
COLLECT_MINUTES = 1440
"""Each boot of a machine leaves cycles behind; the collector is off between collections."""

Progress = Callable[[float], None]
"""Called with the virtual seconds that have passed, every virtual minute."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The replaceable parts of a run.

    ``build`` makes each daemon's services, ``policy`` the policy that farmers decide by; a test that plants a defect
    passes another (docs/simulation.md).
    """

    promises: Sequence[type[Promise]] = ALL
    build: Assembler = assemble
    policy: Callable[[PolicyPlan], FarmerPolicy] = policy_of


def run_farm(plan: Plan, parts: Parts, progress: Progress) -> Outcome:
    """The whole run of a plan of one farm. Deterministic: the plan says everything."""
    with _without_garbage_collection(), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_run(plan, parts, progress))


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """The search for cycles among many live objects takes a fifth of the time, so a run rarely does it.

    A world is full of cycles: what is left of one goes before the next begins.
    """
    was_on = gc.isenabled()
    gc.disable()
    gc.freeze()  # The collector ignores objects that existed before the run.
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
        if was_on:
            gc.enable()


async def _run(plan: Plan, parts: Parts, progress: Progress) -> Outcome:
    watch = Watch()
    world = World(plan, watch, parts.build)
    tally = Tally(world)
    watch.begin(world, tally, parts.promises)
    schedule(world)
    farmer = Farmer(world, parts.policy(plan.policy), watch.minted)
    world.start()
    minutes = 0
    while world.now_s() < plan.end_s:
        if minutes % SAMPLE_MINUTES == 0:
            tally.sample()
        await asyncio.sleep(min(MINUTE_S, plan.end_s - world.now_s()))
        minutes += 1
        if minutes % COLLECT_MINUTES == 0 and world.now_s() < plan.end_s:
            gc.collect()
        watch.minute()
        progress(world.now_s())
    watch.ended()
    tally.sample()
    tally.close()
    return outcome_of(world, tally, watch, farmer)
