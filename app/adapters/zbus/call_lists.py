"""The lists on which calls wait in Redis: a server takes several at once, and loses none when it stops.

Theory of operation. One round trip waits for the first call (BLPOP). In a crowd of callers it takes the calls
behind it too, by LPOPs, since LPOP has a count only from Redis 6.2 on: at most twice as many as came the last
time. There is a crowd when several calls came at once, or when one came while another one was not answered yet.
A single caller waits for each answer, and so never pays for an LPOP.

When the taker is cancelled, Redis may have handed out calls whose reply is still on its way. So the taker waits
for that reply. An element on the *bell*, a list of this object's own, ends the wait for a call. The taker puts
the calls back at the end of their list, since RPUSH needs no other right than answers need.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import cycle, islice
from uuid import uuid4

from app.adapters.libraries.timeouts import timeout
from app.adapters.redis.connection import Command, Connection, popped
from app.domain.errors import EventsUnavailable

ANSWER_S = 5.0
BLOCK_S = 3
"""A whole number, since Redis before 6.0 takes no fractions."""
BELL_LIFE_S = 60
GIVE_BACK_S = 1.0
"""The end of the daemon may wait for it, and has 4.5 s."""

Taken = list[tuple[str, bytes]]
"""Frames, each with the list that it was on."""


class CallLists:
    """Takes from the lists ``queues``, of several in turn, so that a crowd at one does not hold up the others.

    ``pushing`` is a connection that never waits for long; ``under_way`` says whether a call waits for its answer.
    """

    def __init__(self, url: str, queues: Sequence[str], pushing: Connection, under_way: Callable[[], bool]) -> None:
        self._taking = Connection(url, answer_s=BLOCK_S + ANSWER_S, errors_pass=False)
        self._pushing = pushing
        self._queues = list(queues)
        self._bell = str(uuid4())
        """Named like a list for answers, so that a Redis user with rights for those needs no others."""
        self._under_way = under_way
        self._most = 1

    async def take(self, room: int) -> Taken:
        """At most ``room`` frames; none if none came for some seconds.

        Raises `EventsUnavailable`. On cancellation, what was taken is put back.
        """
        taking = asyncio.create_task(self._take(min(room, self._most)), name="zbus: taking calls")
        try:
            taken = await asyncio.shield(taking)
        except asyncio.CancelledError:
            await self._give_back(taking)
            raise
        crowded = len(taken) > 1 or (taken and self._under_way())
        self._most = 2 * len(taken) if crowded else 1
        return taken

    async def close(self) -> None:
        await self._taking.close()

    async def _take(self, most: int) -> Taken:
        self._queues.append(self._queues.pop(0))
        behind = list(islice(cycle(self._queues[::-1]), most - 1))
        waiting: Command = ("BLPOP", *self._queues, self._bell, BLOCK_S)
        first, *more = await self._taking.replies(waiting, *(("LPOP", queue) for queue in behind))
        taken: Taken = []
        if first is not None and not isinstance(first, Exception):
            async with self._taking.reading():
                queue, frame = popped(first)
                if queue in self._queues:
                    taken.append((queue, frame))
                elif queue != self._bell:
                    raise LookupError(f"no call was awaited on {queue}")
        taken += [(queue, frame) for queue, frame in zip(behind, more, strict=True) if isinstance(frame, bytes)]
        # For example, the key is no list. The calls that came beside it are served first; the next try fails again.
        if not taken and isinstance(first, Exception):
            raise self._taking.refused(first)
        return taken

    async def _give_back(self, taking: asyncio.Task[Taken]) -> None:
        try:
            with suppress(EventsUnavailable, TimeoutError):
                async with timeout(GIVE_BACK_S):
                    if not taking.done():
                        await self._pushing.pipeline(("RPUSH", self._bell, b""), ("EXPIRE", self._bell, BELL_LIFE_S))
                    await asyncio.wait([taking])
                    returned = [("RPUSH", queue, frame) for queue, frame in taking.result()]
                    # The bell is still there where a call came first.
                    await self._pushing.pipeline(*returned, ("LPOP", self._bell))
        finally:
            taking.cancel()
            await asyncio.wait([taking])
