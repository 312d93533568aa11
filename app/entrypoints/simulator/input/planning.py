"""Makes a plan from the command line."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from app.entrypoints.simulator.faults.generator import LEVELS, made_up_faults
from app.entrypoints.simulator.faults.kinds import FAULT_KINDS
from app.entrypoints.simulator.input.csv_file import read_faults, read_trace
from app.entrypoints.simulator.input.farm_file import FarmFile, read_farm_file
from app.entrypoints.simulator.input.plan_checks import checked
from app.entrypoints.simulator.input.policy_text import policy_of_text
from app.entrypoints.simulator.plan.bad_input import BadInput, unknown
from app.entrypoints.simulator.plan.plan import FarmPlan, FaultPlan, NodePlan, Plan

NO_FAULTS = "none"
CALM_S = 3600.0
NODES_A_FARM = 100
CALM_SHARE = 0.5
"""The share of a short run that is not calm is at least this."""


@dataclass(frozen=True, slots=True)
class WorldRequest:
    """The command line, as it was given; None and empty: the default."""

    nodes: int = 1000
    farms: int | None = None
    hours: float = 24.0
    seed: int = 1
    policy: str = "bot"
    faults: str = "none"
    farm_file: Path | None = None
    trace: Path | None = None
    load: float | None = None
    given_farms: tuple[FarmPlan, ...] = ()
    settings: dict[str, object] = field(default_factory=dict)
    only_faults: tuple[int, ...] | None = None
    """Numbers of the faults that happen; None: all."""


def plan_of(request: WorldRequest) -> Plan:
    """Raises `BadInput`, which says what can't be done, and what can."""
    file = read_farm_file(request.farm_file) if request.farm_file else FarmFile(farm=())
    farms = (
        file.farms or request.given_farms or made_up_farms(request.farms or _farms_for(request.nodes), request.nodes)
    )
    workload = file.workload
    if request.load is not None:
        workload = msgspec.structs.replace(workload, load=request.load)
    if request.trace:
        workload = msgspec.structs.replace(workload, trace=read_trace(request.trace))
    if not math.isfinite(request.hours):
        raise BadInput(f"--hours {request.hours} is not a number of hours; write one such as 24")
    calm_s = min(CALM_S, request.hours * 3600.0 * CALM_SHARE)
    faults = _faults(request, farms, request.hours * 3600.0 - calm_s)
    plan = Plan(
        seed=request.seed,
        hours=request.hours,
        farms=farms,
        policy=policy_of_text(request.policy, file.bot),
        workload=workload,
        faults=faults,
        chain=file.chain,
        energy=file.energy,
        income=file.income,
        settings={**file.settings, **request.settings},
        calm_s=calm_s,
    )
    return checked(plan, trace=str(request.trace), script=request.policy.partition(":")[2])


def _farms_for(nodes: int) -> int:
    """By default: farms of a hundred nodes, and one farm for fewer."""
    return max(1, nodes // NODES_A_FARM)


def made_up_farms(farms: int, nodes: int) -> tuple[FarmPlan, ...]:
    """Farms of equal size (the first ones are larger by one where it does not come out even)."""
    if not 1 <= farms <= nodes:
        raise BadInput(f"{nodes} nodes can't be shared among {farms} farms; give --nodes at least as many as --farms")
    sizes = [nodes // farms + (farm < nodes % farms) for farm in range(farms)]
    first = [1 + sum(sizes[:farm]) for farm in range(farms)]
    return tuple(
        FarmPlan(id=farm + 1, nodes=tuple(NodePlan(id=first[farm] + node) for node in range(sizes[farm])))
        for farm in range(farms)
    )


def _faults(request: WorldRequest, farms: Sequence[FarmPlan], until_s: float) -> tuple[FaultPlan, ...]:
    """A level, ``LEVEL:KIND,KIND``, or a file."""
    level, _, rest = request.faults.partition(":")
    if level == "file":
        faults = read_faults(Path(rest))
        if late := [fault for fault in faults if fault.at_s + fault.for_s > until_s]:
            raise BadInput(
                f"{rest}: the fault {late[0].kind} at {late[0].at_s:g} s lasts beyond {until_s:.0f} s, where the calm "
                "time at the end of the run begins; give more --hours"
            )
    elif level in LEVELS:
        kinds = rest.split(",") if rest else list(FAULT_KINDS)
        for kind in kinds:
            if kind not in FAULT_KINDS:
                raise BadInput(unknown("fault", kind, FAULT_KINDS))
        faults = made_up_faults(kinds, LEVELS[level], farms, until_s, request.seed)
    else:
        raise BadInput(unknown("level of faults", level, [*LEVELS, "LEVEL:KIND,KIND", "file:FILE"]))
    return chosen(faults, request.only_faults)


def chosen(faults: Sequence[FaultPlan], only: Sequence[int] | None) -> tuple[FaultPlan, ...]:
    """The faults with these numbers, counted from 1; None: all."""
    if only is None:
        return tuple(faults)
    if beyond := [number for number in only if not 1 <= number <= len(faults)]:
        raise BadInput(f"there is no fault number {beyond[0]}; this plan has {len(faults)} (--faults)")
    return tuple(faults[number - 1] for number in sorted(set(only)))


def numbers(text: str) -> tuple[int, ...] | None:
    """``3,7`` as numbers, ``none`` as no numbers, and an empty text as None."""
    if text in ("", NO_FAULTS):
        return () if text else None
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise BadInput(f"--only-faults {text!r} is no list of numbers such as 3,7, nor {NO_FAULTS}") from None


def written(only: Sequence[int]) -> str:
    """As `numbers` reads it."""
    return ",".join(map(str, only)) or NO_FAULTS


def settings_of(pairs: Sequence[str]) -> dict[str, object]:
    """``wake.packets=3`` and the like."""
    if torn := [pair for pair in pairs if "=" not in pair]:
        raise BadInput(f"--set {torn[0]!r}: write KEY=VALUE, such as wake.packets=3 (docs/configuration.md)")
    return {key.strip(): _value(text.strip()) for key, _, text in (pair.partition("=") for pair in pairs)}


def _value(text: str) -> object:
    """As TOML reads it; a value that is no TOML is a text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
