"""Reads farms, and the assumptions of a run of them, from a TOML file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import field

from app.domain.model import Mac, Power
from app.entrypoints.settings.keys import SettingsError
from app.entrypoints.settings.loading import load_settings
from app.entrypoints.simulator.input.problems import problem_of
from app.entrypoints.simulator.plan.bad_input import BadInput
from app.entrypoints.simulator.plan.plan import (
    BotPlan,
    ChainPlan,
    EnergyPlan,
    FarmPlan,
    IncomePlan,
    NodePlan,
    Part,
    WorkloadPlan,
)

Place = tuple[int, int | None]
"""Of a farm in the file, and of a node in its farm (None: the farm itself), both counted from 0."""


class FarmEntry(Part, frozen=True):
    """``[[farm]]`` with its ``[[farm.node]]``."""

    id: int
    node: tuple[NodePlan, ...]


class FarmFile(Part, frozen=True):
    """The whole file."""

    farm: tuple[FarmEntry, ...]
    bot: BotPlan = BotPlan()
    workload: WorkloadPlan = WorkloadPlan()
    chain: ChainPlan = ChainPlan()
    energy: EnergyPlan = EnergyPlan()
    income: IncomePlan = IncomePlan()
    settings: dict[str, object] = field(default_factory=dict)

    @property
    def farms(self) -> tuple[FarmPlan, ...]:
        return tuple(FarmPlan(id=farm.id, nodes=farm.node) for farm in self.farm)


TABLES: Mapping[str, type[msgspec.Struct]] = {
    "farm": FarmEntry,
    "node": NodePlan,
    "bot": BotPlan,
    "workload": WorkloadPlan,
    "chain": ChainPlan,
    "energy": EnergyPlan,
    "income": IncomePlan,
}


def read_farm_file(path: Path) -> FarmFile:
    """The file's content; raises `BadInput` with the line that is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = tomllib.loads(text)
        content["settings"] = _flat(content.get("settings", {}))
        read = msgspec.convert(content, FarmFile)
    except OSError as error:
        raise BadInput.unreadable(path, error, "name a farm file; `powerd simulate --example` prints one") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = re.search(r"at line (\d+)", str(error))
        raise BadInput.at(path, int(line[1]) if line else 0, f"is no TOML: {error}") from error
    except msgspec.ValidationError as error:
        problem = f"{problem_of(error, _keys_at(str(error)))}; `powerd simulate --example` shows a farm file"
        raise BadInput.at(path, _line_of_path(text, str(error)), problem) from error
    _check(path, text, read)
    try:
        load_settings(None, {}, read.settings, origin=str(path))
    except SettingsError as error:
        raise BadInput(str(error)) from error
    return read


def _keys_at(problem: str) -> Sequence[str]:
    """The keys of the table in which msgspec found this problem: ``… - at `$.farm[0].node[2]` ``."""
    found = re.search(r" - at `\$\.?(.*)`$", problem)
    table: type[msgspec.Struct] = FarmFile
    for name in re.sub(r"\[\d+\]", "", found[1]).split(".") if found else ():
        table = TABLES.get(name, table)
    return table.__struct_fields__


def _flat(settings: dict[str, object], before: str = "") -> dict[str, object]:
    """``[settings.wake]`` with ``packets`` as ``wake.packets``."""
    flat: dict[str, object] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return flat


def _check(path: Path, text: str, read: FarmFile) -> None:
    nodes = [node for farm in read.farm for node in farm.node]
    if empty := [farm.id for farm in read.farm if not farm.node]:
        raise BadInput.at(path, 0, f"farm {empty[0]} has no nodes; write [[farm.node]] with an id under its [[farm]]")
    if not nodes:
        raise BadInput.at(path, 0, "has no nodes; write [[farm]] with an id, and [[farm.node]] with an id under it")
    for node in nodes:
        try:
            Mac.parse(node.mac or "02:00:00:00:00:01")
        except ValueError as error:
            line = _line(text, rf"\bmac\s*=\s*.{re.escape(node.mac)}.?\s*$")
            raise BadInput.at(path, line, f"node {node.id}: {error}") from error
        if node.first_target not in [power.value for power in Power]:
            problem = f"node {node.id}: target is {node.target!r}; write Up or Down"
            raise BadInput.at(path, _line(text, rf"target\s*=\s*.{re.escape(node.target)}"), problem)
    places = [((number, place), node) for number, farm in enumerate(read.farm) for place, node in enumerate(farm.node)]
    _unique(path, text, "farm id", "id", [((number, None), str(farm.id)) for number, farm in enumerate(read.farm)])
    _unique(path, text, "node id", "id", [(place, str(node.id)) for place, node in places])
    _unique(path, text, "MAC", "mac", [(place, str(Mac.parse(node.mac))) for place, node in places if node.mac])


def _unique(path: Path, text: str, what: str, key: str, values: list[tuple[Place, str]]) -> None:
    first: dict[str, Place] = {}
    for place, value in values:
        if value in first:
            one, other = _line_of_key(text, key, *first[value]), _line_of_key(text, key, *place)
            also = f" (it is also that of line {one})" if one else ""
            raise BadInput.at(path, other, f"{what} {value} is given twice{also}; give each {what} once")
        first[value] = place


def _line(text: str, pattern: str) -> int:
    """The line of the first match; 0 if there is none."""
    return next((number for number, line in enumerate(text.splitlines(), 1) if re.search(pattern, line)), 0)


def _line_of_path(text: str, problem: str) -> int:
    """Of msgspec's ``… - at `$.farm[0].node[2].boot_s` ``: the line of that key in that table."""
    found = re.search(r"`\$(.*)`", problem)
    key = re.search(r"\.([a-z_]+)$", found[1]) if found else None
    field = key[1] if key else (re.search(r"unknown field `(\w+)`", problem) or ["", ""])[1]
    table = re.search(r"\.node\[(\d+)\]", found[1]) if found else None
    farm = re.search(r"\.farm\[(\d+)\]", found[1]) if found else None
    return _line_of_key(text, field, int(farm[1]) if farm else None, int(table[1]) if table else None)


def _line_of_key(text: str, field: str, farm: int | None, node: int | None) -> int:
    """The line of this key in the table of the farm or node with this place in the file; 0 if there is none."""
    inside_farm = inside_node = -1
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*\[\[\s*farm\s*\]\]", line):
            inside_farm, inside_node = inside_farm + 1, -1
        elif re.match(r"\s*\[\[\s*farm\.node\s*\]\]", line):
            inside_node += 1
        right_farm = farm is None or inside_farm == farm
        right_node = node is None or inside_node == node
        if field and right_farm and right_node and re.match(rf"\s*{field}\s*=", line):
            return number
    return 0
