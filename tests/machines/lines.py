"""One JSON object a line over a unix socket: QEMU's monitor (QMP), and the agent in the machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

LONGEST = 1 << 20
LOOK_S = 0.2


class Gone(Exception):
    """The other side ended."""


class JsonLines:
    """Answers carry the ``id`` of what was asked; everything else is an event."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._last = 0
        self._news = asyncio.Condition()
        self.events: list[Mapping[str, Any]] = []
        self.ended = False
        self._hearing = asyncio.create_task(self._hear())

    @classmethod
    async def to(cls, socket: Path) -> JsonLines:
        """Waits until there is such a socket."""
        while True:
            with suppress(FileNotFoundError, ConnectionRefusedError):
                return cls(*await asyncio.open_unix_connection(socket, limit=LONGEST))
            await asyncio.sleep(LOOK_S)

    async def ask(self, **message: Any) -> Mapping[str, Any]:
        """The answer; raises `Gone`."""
        self._last += 1
        number = self._last
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            if self.ended:
                raise Gone
            self._writer.write(json.dumps({**message, "id": number}).encode() + b"\n")
            said: Mapping[str, Any] = await answer
            return said
        finally:
            del self._waiting[number]

    async def event(self, *names: str, since: int = 0) -> Mapping[str, Any]:
        """The first event of one of these names from number ``since`` on; raises `Gone`."""

        def found() -> Mapping[str, Any] | None:
            return next((event for event in self.events[since:] if event["event"] in names), None)

        async with self._news:
            await self._news.wait_for(lambda: found() is not None or self.ended)
        event = found()
        if event is None:
            raise Gone
        return event

    async def close(self) -> None:
        """Hang up."""
        self._hearing.cancel()
        self._writer.close()
        with suppress(asyncio.CancelledError):
            await self._hearing

    async def _hear(self) -> None:
        with suppress(OSError):
            async for line in self._reader:
                with suppress(ValueError):
                    await self._take(json.loads(line))
        self.ended = True
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Gone())
        async with self._news:
            self._news.notify_all()

    async def _take(self, message: Mapping[str, Any]) -> None:
        answer = self._waiting.get(message.get("id", 0))
        if answer is not None and not answer.done():
            answer.set_result(message)
        elif "event" in message:
            async with self._news:
                self.events.append(message)
                self._news.notify_all()
