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

ROUNDING_MS = 100
"""The server ends a wait up to one tick early or late (100 ms with the default ``hz``)."""

SEEN_TWICE = 2
"""How many looks in a row must see it. A single one may be a wait that the server restarted."""

UNNAMED = "a program that does not say who it is (the Go powerd, say)"


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
        return sorted(
            {name.rpartition(" ")[0] for name, other in self._others.items() if self._is_running(other, now_s)}
        )

    def _seen(self, name: str, count: bytes, now_s: float) -> Other:
        other = self._others.get(name) or Other(count, now_s)
        if other.count != count:
            other.count, other.alive_at_s = count, now_s
        return other

    def _is_running(self, other: Other, now_s: float) -> bool:
        return other.alive_at_s is not None and now_s - other.alive_at_s <= self._gone_s


class UnnamedReaders:
    """Notices a program that is not in `Readers`, such as the Go powerd. Without the right to XINFO none is noticed.

    It has the same consumer's name, and the server knows how long ago that consumer last asked for entries. After a
    read of ours that waited and got nothing, that time must be at least as long as the wait. If it is shorter,
    another program asked meanwhile. All times are of the server's clock.
    """

    def __init__(self, stream: str, group: str, consumer: str) -> None:
        self._stream = stream
        self._group = group
        self._consumer = consumer.encode()
        self._seen = 0

    async def look(self, redis: Any, waited_ms: int | None) -> list[str]:
        """A name for such a reader, or an empty list.

        ``waited_ms`` is how long the last read waited without an entry. None: it did not wait, and the result
        is that of the last look.
        """
        from app.adapters.redis.library import ResponseError

        if waited_ms is not None and waited_ms > ROUNDING_MS:
            try:
                consumers = await redis.xinfo_consumers(self._stream, self._group)
            except ResponseError:
                return []
            idle_ms = min((c["idle"] for c in consumers if c["name"] == self._consumer), default=waited_ms)
            self._seen = self._seen + 1 if idle_ms < waited_ms - ROUNDING_MS else 0
        return [UNNAMED] if self._seen >= SEEN_TWICE else []


def _last(other: Other) -> float:
    return other.known_at_s if other.alive_at_s is None else other.alive_at_s
