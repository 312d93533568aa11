"""Answers to callers, pushed in order; those that are ready at the same time leave together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from app.adapters.libraries.timeouts import timeout
from app.adapters.redis.connection import Connection
from app.domain.errors import EventsUnavailable

REPLY_LIFE_S = 300
"""As Go's server: an answer that no caller fetches expires."""
LAST_S = 0.5
"""For answers that are unsent at the end. The end of the daemon may wait for them, and has 4.5 s."""


class Answer(NamedTuple):
    """A frame for a caller's list; see `Answers.send` for ``alone``."""

    reply_to: bytes
    frame: bytes
    alone: bool


class Answers:
    """``warn`` gets the reason why an answer can't be pushed."""

    def __init__(self, connection: Connection, warn: Callable[[str], object]) -> None:
        self._connection = connection
        self._warn_once = warn
        self._outbox: list[Answer] = []
        self._filled = asyncio.Event()
        self._sent = asyncio.Event()
        self._sent.set()
        self.under_way = False
        """Whether an answer has not reached its list yet."""

    def send(self, reply_to: str, frame: bytes, *, alone: bool = False) -> None:
        """Hand over an answer. One that leaves ``alone`` shows that those before it have left, and will expire."""
        self._outbox.append(Answer(reply_to.encode("utf-8", "replace"), frame, alone))
        self._filled.set()
        self._sent.clear()
        self.under_way = True

    async def run(self) -> None:
        """Push answers, each at most twice, since an idle connection may have been closed without notice."""
        while True:
            await self._filled.wait()
            together = next((at for at, answer in enumerate(self._outbox) if answer.alone), len(self._outbox)) or 1
            answers, self._outbox = self._outbox[:together], self._outbox[together:]
            try:
                try:
                    await self._push(answers)
                except EventsUnavailable:
                    await self._push(answers)
            except EventsUnavailable as error:
                self._warn_once(f"answering over zbus: {error}")
            if not self._outbox:
                self._filled.clear()
                self._sent.set()
                self.under_way = False

    async def all_sent(self) -> None:
        """Wait until every answer was pushed, `LAST_S` at most."""
        with suppress(TimeoutError):
            async with timeout(LAST_S):
                await self._sent.wait()

    async def _push(self, answers: Sequence[Answer]) -> None:
        pushes = [("RPUSH", answer.reply_to, answer.frame) for answer in answers]
        replies = await self._connection.replies(*pushes)
        self.under_way = bool(self._outbox)
        # Not together: a key that refuses the push belongs to another program, and must not expire.
        taken = [answer for answer, reply in zip(answers, replies, strict=True) if not isinstance(reply, Exception)]
        replies += await self._connection.replies(*(("EXPIRE", answer.reply_to, REPLY_LIFE_S) for answer in taken))
        for reply in replies:
            if isinstance(reply, Exception):
                self._warn_once(f"answering over zbus: {self._connection.refused(reply)}")
