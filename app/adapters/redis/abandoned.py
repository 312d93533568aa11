"""Takes over pending entries that another consumer of the group has held for too long.

`XAUTOCLAIM` needs Redis 6.2. With an older server, `XPENDING` and `XCLAIM` do the same.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from app.adapters.redis.refusals import explained, is_unknown

Entries = Sequence[tuple[bytes | None, Any]]

log = logging.getLogger(__name__)


class AbandonedEntries:
    """A pass over the group's pending entries, page by page. A refusal ends it, so that new entries are read."""

    def __init__(self, stream: str, group: str, consumer: str, idle_ms: int, batch: int) -> None:
        self._stream = stream
        self._group = group
        self._consumer = consumer
        self._idle_ms = idle_ms
        self._batch = batch
        self._next: str | None = "0-0"
        self._one_by_one = False
        self._warned = ""

    def start_over(self) -> None:
        self._next = "0-0"

    @property
    def done(self) -> bool:
        return self._next is None

    async def claim(self, redis: Any) -> Entries:
        """Take the next page over. Raises ``ResponseError`` only when the group does not exist (``NOGROUP``)."""
        from app.adapters.redis.library import ResponseError

        after = self._next or "0-0"
        self._next = None
        try:
            if not self._one_by_one:
                try:
                    return await self._auto(redis, after)
                except ResponseError as error:
                    if not is_unknown(error):
                        raise
                    self._one_by_one = True
            return await self._by_name(redis, after)
        except ResponseError as error:
            if str(error).startswith("NOGROUP"):
                raise
            self._warn_once(explained(error))
            return []

    async def _auto(self, redis: Any, after: str) -> Entries:
        following, entries, *_ = await redis.xautoclaim(
            self._stream, self._group, self._consumer, self._idle_ms, after, count=self._batch
        )
        self._next = None if _text(following) == "0-0" else _text(following)
        return list(entries)

    async def _by_name(self, redis: Any, after: str) -> Entries:
        page = await redis.xpending_range(self._stream, self._group, min=after, max="+", count=self._batch)
        if len(page) == self._batch:
            self._next = _successor(_text(page[-1]["message_id"]))
        idle = [each["message_id"] for each in page if each["time_since_delivered"] >= self._idle_ms]
        if not idle:
            return []
        return list(await redis.xclaim(self._stream, self._group, self._consumer, self._idle_ms, idle))

    def _warn_once(self, reason: str) -> None:
        if reason != self._warned:
            self._warned = reason
            log.warning("pending entries of another consumer can't be taken over: Redis refuses: %s", reason)


def _successor(entry: str) -> str:
    """The smallest id after this one, since ranges with an excluded start need Redis 6.2."""
    milliseconds, _, number = entry.partition("-")
    return f"{milliseconds}-{int(number) + 1}"


def _text(entry: bytes | str) -> str:
    return entry.decode() if isinstance(entry, bytes) else entry
