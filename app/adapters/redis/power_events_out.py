"""The port `PowerEventsOut` on a Redis stream, with the same command as the Go producer."""

from __future__ import annotations

from collections.abc import Sequence

from app.adapters.codecs.power_target import TargetChange, encode
from app.adapters.redis.connection import Connection, all_of
from app.domain.events import PowerTargetChanged
from app.domain.model import Power

ENTRIES_MAX = 1024
"""The stream is trimmed to about this number of entries (``MAXLEN ~``)."""

ANSWER_S = 5.0


class RedisPowerEventsOut:
    """`PowerEventsOut` on a Redis stream."""

    def __init__(self, url: str, *, stream: str) -> None:
        self._connection = Connection(url, answer_s=ANSWER_S, errors_pass=False)
        self._stream = stream

    async def reach(self) -> None:
        """Ask for the database in use, which every documented user may; a refusal of that is an answer as well."""
        from app.adapters.redis.library import NoPermissionError

        (reply,) = await self._connection.replies(("SELECT", self._connection.database))
        if isinstance(reply, Exception) and not isinstance(reply, NoPermissionError):
            raise self._connection.refused(reply)

    async def publish(self, changes: Sequence[PowerTargetChanged]) -> None:
        """Append all in one round trip. After an error some may be in the stream; a second publish does no harm."""
        async with self._connection.use() as redis:
            pipeline = redis.pipeline(transaction=False)
            for change in changes:
                pipeline.xadd(self._stream, {"body": _gob(change)}, maxlen=ENTRIES_MAX, approximate=True)
            await all_of(pipeline)

    async def close(self) -> None:
        await self._connection.close()


def _gob(change: PowerTargetChanged) -> bytes:
    up = change.target is Power.UP
    return encode(TargetChange(change.farm, change.node, is_up=up, is_down=not up))
