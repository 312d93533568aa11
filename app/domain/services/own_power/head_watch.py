"""Reads the best head where its age decides; reads it again while its age is known only roughly."""

from __future__ import annotations

from app.domain.model import Head, HeadKind
from app.ports.chain import ChainReader
from app.ports.clock import Clock

LOOKS = 4
"""A block comes every 6 s, and one or two can be missing; the guards judge a head that has not moved by then."""


class HeadWatch:
    """Reads again every ``pause_s`` while the head may be older than ``age_s_max`` (0: no limit)."""

    def __init__(self, chain: ChainReader, clock: Clock, *, age_s_max: float, pause_s: float) -> None:
        self._chain = chain
        self._clock = clock
        self._age_s_max = age_s_max
        self._pause_s = pause_s

    async def best(self) -> Head | None:
        """Read the head, `LOOKS` times at most. Raises `ChainUnavailable`."""
        head = await self._chain.head(HeadKind.BEST)
        for _ in range(LOOKS - 1):
            if not self._in_doubt(head):
                break
            await self._clock.sleep(self._pause_s)
            head = await self._chain.head(HeadKind.BEST)
        return head

    def _in_doubt(self, head: Head | None) -> bool:
        return bool(self._age_s_max) and head is not None and (head.seen_s_max or 0.0) > self._age_s_max
