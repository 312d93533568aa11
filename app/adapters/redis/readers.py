"""Notices other daemons that read the same stream.

The consumers of all nodes have the same name, so the server does not distinguish them. Each daemon increments
its own field in a hash beside the stream. A field that changes between two looks belongs to a running daemon.
No clocks are compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from app.adapters.redis.connection import all_of

KEY_LIFE_S = 3600
FORGOTTEN_S = 600.0


@dataclass(slots=True)
class Other:
    """The field of another daemon: since when it is known, and when a look last saw it change."""

    count: bytes
    known_at_s: float
    alive_at_s: float | None = None


class Readers:
    """The readers of a stream. One whose field did not change for ``gone_s`` is gone."""

    def __init__(self, key: str, gone_s: float) -> None:
        self._key = key
        self._gone_s = gone_s
        self._instance = uuid4().hex
        self._count = 0
        self._others: dict[str, Other] = {}

    async def look(self, redis: Any, own: str) -> Sequence[str]:
        """Increment the field of ``own``, and return the names of the other running readers."""
        self._count += 1
        field = f"{own} {self._instance}"
        pipeline = redis.pipeline(transaction=False)
        pipeline.hset(self._key, field, self._count)
        pipeline.expire(self._key, KEY_LIFE_S)
        pipeline.hgetall(self._key)
        *_, found = await all_of(pipeline)
        now_s = asyncio.get_running_loop().time()
        counts = {name.decode(errors="replace"): count for name, count in found.items()}
        counts.pop(field, None)
        self._others = {name: self._seen(name, count, now_s) for name, count in counts.items()}
        old = [name for name, other in self._others.items() if now_s - _last(other) > FORGOTTEN_S]
        if old:
            await redis.hdel(self._key, *old)
        return sorted({name.rpartition(" ")[0] for name, other in self._others.items() if self._lives(other, now_s)})

    def _seen(self, name: str, count: bytes, now_s: float) -> Other:
        other = self._others.get(name) or Other(count, now_s)
        if other.count != count:
            other.count, other.alive_at_s = count, now_s
        return other

    def _lives(self, other: Other, now_s: float) -> bool:
        return other.alive_at_s is not None and now_s - other.alive_at_s <= self._gone_s


def _last(other: Other) -> float:
    return other.known_at_s if other.alive_at_s is None else other.alive_at_s
