"""The gob codec beside the json module, which is written in C."""

from __future__ import annotations

import json

from app.adapters.codecs.power_target import TargetChange, decode, encode
from tests.bench.figure import Figure, Scale, seconds_of

CHANGE = TargetChange(farm_id=4294967295, node_id=65537, is_up=True, is_down=False)
CONTENT = {"farm_id": 4294967295, "node_id": 65537, "target": {"is_up": True, "is_down": False}}


async def measure(scale: Scale) -> list[Figure]:
    """Microseconds per event."""
    times = 100 * scale.samples
    body, text = encode(CHANGE), json.dumps(CONTENT)
    assert decode(body) == CHANGE
    read, loads = seconds_of(lambda: decode(body), times), seconds_of(lambda: json.loads(text), times)
    write, dumps = seconds_of(lambda: encode(CHANGE), times), seconds_of(lambda: json.dumps(CONTENT), times)
    return [
        Figure("gob decode", read * 1e6, "µs", "json.loads", loads * 1e6, loads / read, "≥ 1×"),
        Figure("gob encode", write * 1e6, "µs", "json.dumps", dumps * 1e6, dumps / write, "≥ 1×"),
    ]
