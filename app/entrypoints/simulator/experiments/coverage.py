"""How much of what a daemon can meet an exploration reached: guards, steps, orders, wakes, faults and pairs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from app.domain.commands import Guard
from app.domain.rules import wake
from app.domain.rules.shutdown import Step
from app.entrypoints.simulator.faults.kinds import FAULT_KINDS
from app.entrypoints.simulator.plan.plan import FaultPlan, Plan
from app.entrypoints.simulator.run.farm_plans import farm_plans
from app.entrypoints.simulator.run.outcome import Outcome
from app.entrypoints.simulator.watching.tally import ABORTED_AT, GUARD, ORDER, ORDERS, STEP, WAKE_ENDED

FAULT, PAIR, CELL = "fault: ", "faults at once: ", "wake: "
NAMED_MAX = 12
"""The number of unreached items that are named."""

ENDS = "end: "

NO_GUARDS = (Guard.ABORTED, Guard.REBOOT_DUE)
"""Reasons for the next look, which no rule objects with: aborts count by their step, and reboots as orders."""

CANNOT_ABORT = Step.UPTIME
"""A report that fails is logged, and the sequence goes on."""

Cell = tuple[type[wake.Input], wake.Phase, wake.Seen]


def _cell(cell: Cell) -> str:
    on, phase, seen = cell
    return f"{CELL}{on.__name__} {phase.name} {seen.name}".replace("_", " ").lower()


def _unasked(cell: Cell) -> bool:
    """Where there is no wake, the service asks the table only about an input that may begin or end one."""
    on, phase, seen = cell
    return phase is wake.Phase.NONE and (on is wake.OwnPowerOff or (on is wake.Look and seen is not wake.Seen.ASLEEP))


EVERYTHING: dict[str, tuple[str, ...]] = {
    "guards": tuple(GUARD + guard.name for guard in Guard if guard not in NO_GUARDS),
    "steps of a shutdown": tuple(STEP + step.value for step in Step),
    "steps at which one was aborted": tuple(ABORTED_AT + step.value for step in Step if step is not CANNOT_ABORT),
    "orders to the host": tuple(ORDER + order for order in ORDERS),
    "cells of the wake table": tuple(_cell(cell) for cell in wake.TABLE if not _unasked(cell)),
    "ends of a wake": tuple(
        WAKE_ENDED + then.value.removeprefix(ENDS) for then in wake.Then if then.value.startswith(ENDS)
    ),
    "kinds of faults": tuple(FAULT + kind for kind in FAULT_KINDS),
    "pairs of kinds at once on one machine": tuple(
        PAIR + " and ".join(pair) for pair in itertools.combinations(sorted(FAULT_KINDS), 2)
    ),
}
"""All items, by their group."""


class _Asked(dict[Cell, wake.Then]):
    """Empty at first; it gets each cell of the table that is asked for."""

    def __init__(self, table: dict[Cell, wake.Then]) -> None:
        super().__init__()
        self._table = table

    def __missing__(self, cell: Cell) -> wake.Then:
        then = self[cell] = self._table[cell]
        return then


@contextmanager
def cells_asked() -> Iterator[dict[Cell, wake.Then]]:
    """Note in this process which cells of the wake table are asked for."""
    table = wake.TABLE
    wake.TABLE = asked = _Asked(table)
    try:
        yield asked
    finally:
        wake.TABLE = table


def cells(asked: Iterable[Cell]) -> list[str]:
    """These cells as items, sorted."""
    return sorted(map(_cell, asked))


def reached_by(outcome: Outcome) -> list[str]:
    """The items that one run reached, sorted."""
    watched = [name for name in outcome.counts if name.startswith((GUARD, STEP, ABORTED_AT, ORDER, WAKE_ENDED))]
    return sorted({*watched, *(FAULT + fault.kind for fault in outcome.plan.faults), *_pairs(outcome.plan)})


def lines(reached: Iterable[str]) -> Iterator[str]:
    """A line for each group: the number reached, the number in all, and the names of items that were not reached."""
    found = set(reached)
    for what, everything in EVERYTHING.items():
        missing = [name.partition(": ")[2] for name in everything if name not in found]
        named = ", ".join(missing[:NAMED_MAX]) + (" …" if len(missing) > NAMED_MAX else "")
        reached_count = f"{len(everything) - len(missing):,} of {len(everything):,}"
        yield f"  {what}: {reached_count}" + (f"; not {named}" if missing else "")


def _pairs(plan: Plan) -> Iterator[str]:
    """Kinds of which one went on while another began, on the same machine."""
    for farm in farm_plans(plan):
        going_on: list[FaultPlan] = []
        for fault in sorted(farm.faults, key=lambda each: each.at_s):
            going_on = [each for each in going_on if each.at_s + each.for_s >= fault.at_s]
            for other in going_on:
                if other.kind != fault.kind and _meet(other, fault):
                    yield PAIR + " and ".join(sorted((other.kind, fault.kind)))
            going_on.append(fault)


def _meet(one: FaultPlan, other: FaultPlan) -> bool:
    """Whether both hit one machine; faults of a farm, and of the chain, hit every machine of the farm."""
    nodes = [fault.subject for fault in (one, other) if fault.subject.startswith("node")]
    return len(nodes) < 2 or nodes[0] == nodes[1]
