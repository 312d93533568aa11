"""Takes calls off the Redis lists of a server's objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.adapters.redis.connection import Connection

BLOCK_S = 3
"""A whole number, since Redis before 6.0 takes no fractions."""


class CallLists:
    """Waits for the first call. In a crowd of callers it takes more calls of a single list at once (LPOP).

    Of several lists it takes one call at a time, so that a crowd at one object does not hold up the others.
    """

    def __init__(self, connection: Connection, lists: Sequence[str]) -> None:
        self._connection = connection
        self._lists = lists
        self._takes_many = len(lists) == 1
        self._crowded = False

    async def take(self, room: int, *, crowded: bool = False) -> list[tuple[str, bytes]]:
        """At most ``room`` calls, each with its list; none when none came. Raises `EventsUnavailable`.

        ``crowded`` says that several callers are at work. A single caller waits for each answer, and must not pay for
        a question that finds no more calls.
        """
        async with self._connection.use() as redis:
            if self._takes_many and room > 1 and (crowded or self._crowded):
                taken = await self._more(redis, room)
                if taken:
                    return taken
            first = await redis.blpop(self._lists, timeout=BLOCK_S)
            return [] if first is None else [(first[0].decode(), first[1])]

    async def _more(self, redis: Any, room: int) -> list[tuple[str, bytes]]:
        from redis.exceptions import ResponseError

        (name,) = self._lists
        try:
            frames = await redis.lpop(name, room) or ()
        except ResponseError:
            # Redis before 6.2, or a user without the right to LPOP. BLPOP names any other trouble.
            self._takes_many = False
            return []
        self._crowded = len(frames) > 1
        return [(name, frame) for frame in frames]
