"""The port `PowerEvents` on a Redis consumer group, as the Go programs use it.

After `open`, after a cancelled read and every few seconds, three kinds of entries are read in this order:
entries that were delivered to this consumer and did not reach it (a server delivers to a dead connection
until it notices); entries that a dead consumer has left pending; new entries. If a server lost its data,
the group is made again at the beginning of the stream, so that no entry is skipped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from typing import Any

from app.adapters.codecs.power_target import GobError, decode
from app.adapters.redis.abandoned import AbandonedEntries
from app.adapters.redis.connection import Connection
from app.adapters.redis.readers import Readers, UnnamedReaders
from app.domain.errors import AmbiguousTarget, EventsUnavailable
from app.domain.events import Delivery, Malformed, PowerTargetChanged
from app.domain.values import value

BLOCK_S = 3.0
ANSWER_S = 5.0
ABANDONED_S = 600.0
READER_GONE_S = 75.0
DEAD_LETTERS_MAX = 1024
HANDLED_MAX = 4096
BODY = b"body"


@value
class RedisDelivery(Delivery):
    """A delivery with the entry's fields, for the dead-letter stream."""

    fields: Mapping[bytes, bytes] = field(default_factory=dict)


class RedisPowerEvents:
    """`PowerEvents` on a Redis stream.

    A read waits up to ``block_s`` for new entries. A server that does not answer within ``answer_s`` after
    that is unavailable. Entries that another consumer of the group has held for longer than ``abandoned_s``
    are taken over.
    """

    def __init__(
        self,
        url: str,
        *,
        stream: str,
        group: str,
        consumer: str,
        dead_letter_stream: str,
        batch: int,
        block_s: float = BLOCK_S,
        answer_s: float = ANSWER_S,
        abandoned_s: float = ABANDONED_S,
        reader_gone_s: float = READER_GONE_S,
    ) -> None:
        # A read blocks its connection for seconds, and an acknowledgement must not wait so long.
        self._reading = Connection(url, answer_s=block_s + answer_s)
        self._writing = Connection(url, answer_s=answer_s)
        self._block_ms = int(block_s * 1000)
        self._abandoned = AbandonedEntries(stream, group, consumer, int(abandoned_s * 1000), batch)
        self._readers = Readers(f"{stream}:readers", reader_gone_s)
        self._unnamed = UnnamedReaders(stream, group, consumer)
        self._waited_ms: int | None = None
        self._stream = stream
        self._group = group
        self._consumer = consumer
        self._dead_letter_stream = dead_letter_stream
        self._batch = batch
        self._pending_after: str | None = "0"
        self._look_back_s = block_s
        self._looked_back_at_s = 0.0
        self._held: set[str] = set()
        self._handled: dict[str, None] = {}
        self._opened = False
        self._groupless = False

    async def open(self) -> None:
        """Connect again, and make the group if it is missing.

        A refusal to make it (the server is full, or the user has no right) is ignored, since the group may
        exist. If it does not, the next read fails.
        """
        from app.adapters.redis.library import ResponseError

        await self._reading.renew()
        await self._writing.renew()
        async with self._reading.use() as redis:
            with suppress(ResponseError):
                await self._create_group(redis)
        self._held.clear()
        self._start_over()
        self._opened = True

    async def receive(self) -> Sequence[Delivery]:
        """Pending entries, then abandoned ones, then new ones, with a wait of up to 3 s (none after `open`)."""
        self._waited_ms = None
        try:
            batch: Sequence[Delivery] = await self._use(self._reading, self._next)
        except BaseException:
            # Entries may have been delivered and lost: read the pending ones again.
            self._start_over()
            raise
        self._opened = False
        self._held.update(delivery.id for delivery in batch)
        return batch

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge all with one XACK. A server that lost the group has nothing to acknowledge.

        If it fails, the entries are acknowledged when they are read again, and are not delivered again.
        """
        if deliveries:
            ids = [delivery.id for delivery in deliveries]
            self._held.difference_update(ids)
            try:
                await self._use(self._writing, lambda redis: redis.xack(self._stream, self._group, *ids))
            except EventsUnavailable:
                self._remember(ids)
                raise

    async def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Write first, then acknowledge, since a full server refuses the write and accepts the acknowledgement."""
        kept = delivery.fields if isinstance(delivery, RedisDelivery) else {}
        letter = {BODY: kept.get(BODY, b""), b"reason": reason.encode(), b"id": delivery.id.encode()}
        await self._use(
            self._writing,
            lambda redis: redis.xadd(self._dead_letter_stream, letter, maxlen=DEAD_LETTERS_MAX, approximate=True),
        )
        await self.acknowledge([delivery])

    async def others(self, own: str) -> Sequence[str]:
        """Other readers, from the hash beside the stream; if it has none, from the server's data on the consumer."""
        names: Sequence[str] = await self._use(self._writing, lambda redis: self._readers.look(redis, own))
        return names or await self._use(self._writing, lambda redis: self._unnamed.look(redis, self._waited_ms))

    async def close(self) -> None:
        await self._reading.close()
        await self._writing.close()

    def _start_over(self) -> None:
        self._pending_after = "0"
        self._abandoned.start_over()
        self._looked_back_at_s = asyncio.get_running_loop().time()

    async def _next(self, redis: Any) -> Sequence[Delivery]:
        if asyncio.get_running_loop().time() - self._looked_back_at_s >= self._look_back_s:
            self._start_over()
        while self._pending_after is not None:
            entries = await self._read(redis, self._pending_after)
            self._pending_after = _text(entries[-1][0]) if entries else None
            if batch := await self._deliveries(redis, entries):
                return batch
        while not self._abandoned.done:
            if batch := await self._deliveries(redis, await self._abandoned.claim(redis)):
                return batch
        # No wait right after `open`, so that the caller knows at once that the stream can be read.
        block_ms = None if self._opened else self._block_ms
        began_s = asyncio.get_running_loop().time()
        entries = await self._read(redis, ">", block_ms)
        if not entries and block_ms is not None:
            # An operator can end the wait early (CLIENT UNBLOCK).
            self._waited_ms = min(block_ms, int(1000 * (asyncio.get_running_loop().time() - began_s)))
        return await self._deliveries(redis, entries)

    async def _read(self, redis: Any, after: str, block_ms: int | None = None) -> list[tuple[bytes, Any]]:
        reply = await redis.xreadgroup(
            self._group, self._consumer, {self._stream: after}, count=self._batch, block=block_ms
        )
        return _entries(reply)

    async def _deliveries(self, redis: Any, entries: Sequence[tuple[bytes | None, Any]]) -> Sequence[Delivery]:
        """Deliveries of these entries, without those that need no handling, which are acknowledged.

        An entry that was trimmed while it was pending has no fields. A claimed one that was trimmed has no id
        either; it belongs to this consumer now, and comes again as a pending entry.
        """
        self._groupless = False
        named = [(_text(entry), fields) for entry, fields in entries if entry is not None]
        over = {entry for entry, fields in named if not fields or entry in self._handled}
        if over:
            await self._forget(redis, over)
        fresh = [(entry, fields) for entry, fields in named if entry not in self._held and entry not in over]
        return [_delivery(entry, fields) for entry, fields in fresh]

    async def _forget(self, redis: Any, over: Collection[str]) -> None:
        """Acknowledge entries that need no handling. A refusal is ignored, so that reading goes on."""
        from app.adapters.redis.library import ResponseError

        try:
            await redis.xack(self._stream, self._group, *over)
        except ResponseError as error:
            if str(error).startswith("NOGROUP"):
                raise
            self._remember(over)
        else:
            for entry in over:
                self._handled.pop(entry, None)

    def _remember(self, handled: Collection[str]) -> None:
        self._handled.update(dict.fromkeys(handled))
        for entry in list(self._handled)[:-HANDLED_MAX]:
            del self._handled[entry]

    async def _create_group(self, redis: Any) -> None:
        from app.adapters.redis.library import ResponseError

        try:
            await redis.xgroup_create(self._stream, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def _use(self, connection: Connection, question: Callable[[Any], Awaitable[Any]]) -> Any:
        from app.adapters.redis.library import ResponseError

        async with connection.use() as redis:
            try:
                return await question(redis)
            except ResponseError as error:
                if not str(error).startswith(("NOGROUP", "UNBLOCKED")) or self._groupless:
                    raise connection.refused(error) from error
            # The server lost its data and the group, so make the group again for new entries. If the next read
            # finds no group either, that is an error, so that the group is not made in a loop.
            self._groupless = connection is self._reading
            try:
                await self._create_group(redis)
            except ResponseError as error:
                raise connection.refused(error) from error
            self._start_over()
            return []


def _entries(reply: Any) -> list[tuple[bytes, Any]]:
    """The entries of the one stream, in a reply of pairs (stream, entries)."""
    return list(reply[0][1]) if reply else []


def _delivery(entry: str, fields: Mapping[bytes, bytes]) -> RedisDelivery:
    published_at_s = int(entry.partition("-")[0]) / 1000
    return RedisDelivery(entry, published_at_s, _content(fields), fields)


def _content(fields: Mapping[bytes, bytes]) -> PowerTargetChanged | Malformed:
    body = fields.get(BODY)
    if body is None:
        return Malformed(f"it has no field body, only {', '.join(repr(name) for name in fields)}")
    try:
        change = decode(body)
        return PowerTargetChanged.from_flags(change.farm_id, change.node_id, is_up=change.is_up, is_down=change.is_down)
    except (GobError, AmbiguousTarget) as error:
        return Malformed(str(error))


def _text(entry: bytes | str) -> str:
    return entry.decode() if isinstance(entry, bytes) else entry
