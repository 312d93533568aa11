"""Looks for broken promises in many small worlds, each made up from a seed, with every kind of fault.

A failing seed is shrunk: faults are left out as long as the same promise is still broken
(delta debugging), and one line replays what is left.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from app.entrypoints.simulator.faults.generator import made_up_faults
from app.entrypoints.simulator.faults.kinds import FAULT_KINDS
from app.entrypoints.simulator.input.planning import CALM_S, made_up_farms, written
from app.entrypoints.simulator.plan.plan import (
    BotPlan,
    ChainPlan,
    FarmPlan,
    FaultPlan,
    Plan,
    PolicyPlan,
    ScriptedTarget,
    WorkloadPlan,
)
from app.entrypoints.simulator.run.outcome import Outcome

Runner = Callable[[Plan], Outcome]

HOURS = 8.0
FAULTS_PER_NODE_DAY = (2.0, 40.0)
WIDE = 0.25
WIDE_KINDS = frozenset({"held-until"})
"""Only in wide worlds, so that the others stay as they were, and so do the seeds that once failed."""
PROVED = 0.2
"""Share of the wide worlds in which a node must have been woken once before it sleeps again and again (R14)."""
ADDED_KINDS = ("peers-garbled",)
"""Added to the other faults in a share of the wide worlds: seeds that once failed stay as they were."""
ADDED = 0.3
ADDED_PER_NODE_DAY = 4.0
BLOCK_TIMES_S = (3.0, 6.0, 12.0)
SECOND_THOUGHTS = 0.25
"""Share of a script's targets that are taken back."""
SECOND_THOUGHT_S_MAX = 180.0


def explored_plan(seed: int) -> Plan:
    """A small world: one to three farms of two to eight nodes, a bot or a script, few or many faults.

    A quarter of them are *wide*: one farm of up to thirty nodes, in layer-2 segments, with cards that can't be woken,
    another pace of the chain, and every kind of fault.
    """
    wide = random.Random(f"{seed}/wide")  # noqa: S311 - repeatable on purpose
    is_wide = wide.random() < WIDE
    chance = random.Random(f"{seed}/world")  # noqa: S311 - repeatable on purpose
    farms_number = 1 + int(chance.random() * 3)
    farms = made_up_farms(farms_number, farms_number * (2 + int(chance.random() * 7)))
    if is_wide:
        farms = _wide_farm(wide)
    rain = FAULTS_PER_NODE_DAY[0] + (FAULTS_PER_NODE_DAY[1] - FAULTS_PER_NODE_DAY[0]) * chance.random() ** 2
    until_s = HOURS * 3600.0 - CALM_S
    nodes = [node.id for farm in farms for node in farm.nodes]
    if chance.random() < 0.4:
        script = _with_reversals(_script(nodes, until_s, chance), seed)
        policy = PolicyPlan(kind="script", script=script)
    else:
        policy = PolicyPlan(kind="bot", bot=BotPlan(up_s_min=600.0 + 1200.0 * chance.random()))
    workload = WorkloadPlan(load=0.4 * chance.random(), lifetime_s_mean=1800.0 + 3600.0 * chance.random())
    settings = _settings(chance)
    if is_wide and random.Random(f"{seed}/proof").random() < PROVED:  # noqa: S311 - repeatable on purpose
        settings["power_management.require_proved_wake"] = True
    kinds = [kind for kind in FAULT_KINDS if kind not in ADDED_KINDS and (is_wide or kind not in WIDE_KINDS)]
    faults = made_up_faults(kinds, rain, farms, until_s, seed)
    if is_wide and random.Random(f"{seed}/added").random() < ADDED:  # noqa: S311 - repeatable on purpose
        added = made_up_faults(ADDED_KINDS, ADDED_PER_NODE_DAY, farms, until_s, -1 - seed)
        faults = tuple(sorted((*faults, *added), key=lambda fault: fault.at_s))
    return Plan(
        seed=seed,
        hours=HOURS,
        farms=farms,
        policy=policy,
        workload=workload,
        faults=faults,
        chain=_wide_chain(wide) if is_wide else ChainPlan(latency_s=0.05),
        settings=settings,
        calm_s=CALM_S,
    )


def _wide_farm(wide: random.Random) -> tuple[FarmPlan, ...]:
    """Nine to thirty nodes. The first ones can be woken, and stand in both segments: each segment has a waker."""
    (farm,) = made_up_farms(1, 9 + int(wide.random() * 22))
    segments = ("", "cellar") if wide.random() < 0.5 else ("",)
    bad_cards = 0.3 * wide.random() if wide.random() < 0.5 else 0.0
    nodes = [
        replace(
            node,
            segment=segments[number % len(segments)],
            can_be_woken=number < 4 or wide.random() >= bad_cards,
            boot_s=30.0 + 150.0 * wide.random(),
            shutdown_s=5.0 + 40.0 * wide.random(),
        )
        for number, node in enumerate(farm.nodes)
    ]
    return (FarmPlan(id=farm.id, nodes=tuple(nodes)),)


def _wide_chain(wide: random.Random) -> ChainPlan:
    return ChainPlan(
        block_time_s=BLOCK_TIMES_S[int(wide.random() * len(BLOCK_TIMES_S))],
        finality_lag_blocks=1 + int(wide.random() * 4),
        latency_s=0.05,
    )


def _settings(chance: random.Random) -> dict[str, object]:
    """Settings that operators can switch on or off, and intervals short enough to matter within a few hours."""
    settings: dict[str, object] = {"boot_loop.long_sleep_s": 5400.0, "boot_loop.stay_s_max": 3600.0}
    if chance.random() < 0.3:
        settings |= {"rtc_alarm.enabled": True, "rtc_alarm.ahead_s": 5400}
    settings["power_management.last_waker_guard"] = chance.random() < 0.3
    return settings


def _script(nodes: Sequence[int], until_s: float, chance: random.Random) -> tuple[ScriptedTarget, ...]:
    """Every node down and up again, at the same time or one by one."""
    lines = []
    at_s = 600.0
    while at_s < until_s:
        target = "Up" if chance.random() < 0.5 else "Down"
        whom = nodes if chance.random() < 0.3 else [node for node in nodes if chance.random() < 0.3]
        # The first node stays awake: no node could wake the others without it.
        lines += [ScriptedTarget(at_s=at_s, node=node, target=target) for node in whom if node != nodes[0]]
        at_s += 300.0 + 1800.0 * chance.random()
    return tuple(lines)


def _with_reversals(script: Sequence[ScriptedTarget], seed: int) -> tuple[ScriptedTarget, ...]:
    """Some targets are taken back soon: in the middle of a shutdown, or of a boot."""
    chance = random.Random(f"{seed}/second thoughts")  # noqa: S311 - repeatable on purpose
    lines = list(script)
    for line in script:
        if chance.random() < SECOND_THOUGHTS:
            back = "Up" if line.target == "Down" else "Down"
            at_s = line.at_s + SECOND_THOUGHT_S_MAX * chance.random()
            lines.append(ScriptedTarget(at_s=at_s, node=line.node, target=back))
    return tuple(sorted(lines, key=lambda line: line.at_s))


@dataclass(frozen=True, slots=True)
class Finding:
    """A seed that broke a promise: the outcome with all faults, and with the fewest that still break it."""

    seed: int
    outcome: Outcome
    promise: str
    faults: tuple[FaultPlan, ...]
    numbers: tuple[int, ...]

    @property
    def replay(self) -> str:
        """The line that runs it again."""
        return f"powerd simulate --explored {self.seed} --only-faults {written(self.numbers)}"


def investigate(seed: int, outcome: Outcome, run: Runner) -> Finding:
    """Shrink what a failing seed needs to fail."""
    promise = outcome.violations[0].promise

    def still_broken(numbers: Sequence[int]) -> bool:
        faults = tuple(outcome.plan.faults[number - 1] for number in numbers)
        return promise in run(replace(outcome.plan, faults=faults)).broken

    numbers = shrink(range(1, len(outcome.plan.faults) + 1), still_broken)
    faults = tuple(outcome.plan.faults[number - 1] for number in numbers)
    return Finding(seed, outcome, promise, faults, tuple(numbers))


def shrink(numbers: Sequence[int], still_broken: Callable[[Sequence[int]], bool]) -> Sequence[int]:
    """The ddmin algorithm: leave out ever smaller parts as long as it stays broken (Zeller and Hildebrandt, 2002)."""
    kept = list(numbers)
    parts = 2
    while len(kept) >= 2:
        size = -(-len(kept) // parts)
        for start in range(0, len(kept), size):
            rest = kept[:start] + kept[start + size :]
            if still_broken(rest):
                kept, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(len(kept), parts * 2)
    return [] if kept and still_broken([]) else kept
