"""Payloads and Go's answers to them, from ``tests/vectors/gob_power_target.json`` (its ``about`` explains)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from app.adapters.codecs.power_target import TargetChange

_FILE = json.loads((Path(__file__).parents[1] / "vectors" / "gob_power_target.json").read_text())

REFERENCE = bytes.fromhex(_FILE["reference"])


@dataclass(frozen=True)
class Vector:
    """A payload. ``event`` is ``None`` where Go refuses it."""

    name: str
    payload: bytes
    event: TargetChange | None


def _vector(name: str, start: int, stop: int, middle: str, event: list[int] | bool) -> Vector:
    payload = REFERENCE[:start] + bytes.fromhex(middle) + REFERENCE[stop:]
    if isinstance(event, bool):
        return Vector(name, payload, None)
    farm, node, is_up, is_down = event
    return Vector(name, payload, TargetChange(farm, node, bool(is_up), bool(is_down)))


VECTORS = {group: [_vector(*row) for row in rows] for group, rows in _FILE["vectors"].items()}
ALL = [vector for group in VECTORS.values() for vector in group]
