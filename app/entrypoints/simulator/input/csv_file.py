"""Reads the simulator's tables: workload traces, scripts of targets, lists of faults."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from app.domain.model import Power
from app.entrypoints.simulator.faults.kinds import FAULT_KINDS
from app.entrypoints.simulator.input.problems import key_of, problem_of
from app.entrypoints.simulator.plan.bad_input import BadInput, unknown
from app.entrypoints.simulator.plan.plan import Deployment, FaultPlan, Part, ScriptedTarget

Row = TypeVar("Row", bound=Part)


def read_trace(path: Path) -> tuple[Deployment, ...]:
    """Deployments, a line each: ``at_s,farm,slots,for_s``; in order of time."""
    rows = _read(path, Deployment)
    return tuple(sorted((row for _, row in rows), key=lambda row: row.at_s))


def read_script(path: Path) -> tuple[ScriptedTarget, ...]:
    """Targets, a line each: ``at_s,node,target``."""
    rows = _read(path, ScriptedTarget)
    for line, row in rows:
        if row.target not in [power.value for power in Power]:
            raise BadInput.at(path, line, f"target is {row.target!r}; write Up or Down")
    return tuple(sorted((row for _, row in rows), key=lambda row: row.at_s))


def read_faults(path: Path) -> tuple[FaultPlan, ...]:
    """Faults, a line each: ``at_s,kind,subject,for_s,amount``; the last two may be missing."""
    rows = _read(path, FaultPlan)
    for line, row in rows:
        if row.kind not in FAULT_KINDS:
            raise BadInput.at(path, line, unknown("fault", row.kind, FAULT_KINDS))
    return tuple(sorted((row for _, row in rows), key=lambda row: row.at_s))


def _read(path: Path, kind: type[Row]) -> list[tuple[int, Row]]:
    columns = [field.name for field in msgspec.structs.fields(kind)]
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            if unexpected := [name for name in header if name not in columns] or (not header and ["nothing"]):
                raise BadInput.at(path, 1, f"the header names {unexpected[0]!r}; it has to name {','.join(columns)}")
            return [(reader.line_num, _row(path, reader.line_num, kind, header, row)) for row in reader if row]
    except OSError as error:
        raise BadInput.unreadable(path, error, f"name a CSV file with the columns {','.join(columns)}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput.at(path, 0, f"is no CSV file: {error}") from error


def _row(path: Path, line: int, kind: type[Row], header: Sequence[str], row: Sequence[str]) -> Row:
    if len(row) != len(header):
        raise BadInput.at(path, line, f"{len(row)} values for {len(header)} columns; is the line torn?")
    columns = kind.__struct_fields__
    values = {name: value.strip() for name, value in zip(header, row, strict=True) if value.strip()}
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadInput.at(
            path, line, f"{problem_of(error, columns, values.get(key_of(error)))}; the columns are {','.join(columns)}"
        ) from error
