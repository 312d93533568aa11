"""Notices a program that reads the same stream and does not count itself in `Readers`, such as the Go powerd.

It has the same consumer's name. So the server's own account of that consumer tells: it says how long ago the
consumer last asked for entries. After a read of ours that waited in vain it must be at least as long as that
wait; if it is shorter, another program asked meanwhile. Only the server's clock is compared with itself.
"""

from __future__ import annotations

from typing import Any

ROUNDING_MS = 100
"""The server ends a wait up to a tick (100 ms with the default ``hz``) early or late."""

SEEN_TWICE = 2
"""So many looks in a row must see it: a wait that the server restarted looks the same once."""

NAME = "a program that does not say who it is (the Go powerd, say)"


class Strangers:
    """Of one consumer of one group; without the right to XINFO nothing is noticed."""

    def __init__(self, stream: str, group: str, consumer: str) -> None:
        self._stream = stream
        self._group = group
        self._consumer = consumer.encode()
        self._seen = 0

    async def look(self, redis: Any, waited_ms: int | None) -> list[str]:
        """The stranger's name, or none; ``waited_ms`` is how long the last read waited in vain.

        None where the last read did not wait: then the last look stands.
        """
        from redis.exceptions import ResponseError

        if waited_ms is not None and waited_ms > ROUNDING_MS:
            try:
                consumers = await redis.xinfo_consumers(self._stream, self._group)
            except ResponseError:
                return []
            idle_ms = min((c["idle"] for c in consumers if c["name"] == self._consumer), default=waited_ms)
            self._seen = self._seen + 1 if idle_ms < waited_ms - ROUNDING_MS else 0
        return [NAME] if self._seen >= SEEN_TWICE else []
