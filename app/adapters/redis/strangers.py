"""Notices a program that reads the same stream and is not in `Readers`, such as the Go powerd.

It has the same consumer's name, and the server knows how long ago that consumer last asked for entries. After a
read of ours that waited and got nothing, that time must be at least as long as the wait. If it is shorter,
another program asked meanwhile. All times are of the server's clock.
"""

from __future__ import annotations

from typing import Any

ROUNDING_MS = 100
"""The server ends a wait up to one tick early or late (100 ms with the default ``hz``)."""

SEEN_TWICE = 2
"""How many looks in a row must see it. A single one may be a wait that the server restarted."""

NAME = "a program that does not say who it is (the Go powerd, say)"


class Strangers:
    """Other programs with the name of one consumer. Without the right to XINFO none is noticed."""

    def __init__(self, stream: str, group: str, consumer: str) -> None:
        self._stream = stream
        self._group = group
        self._consumer = consumer.encode()
        self._seen = 0

    async def look(self, redis: Any, waited_ms: int | None) -> list[str]:
        """A name for the stranger, or an empty list.

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
        return [NAME] if self._seen >= SEEN_TWICE else []
