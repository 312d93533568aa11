"""One process of ``powerd`` under test: start it, end it, and await the lines of its log.

The process writes its log as JSON lines. The rig reads them as they come, so that a test awaits a line
and never sleeps.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.rigs import forked_program as forked
from tests.rigs.forked_program import Forked
from tests.slowness import patient

PATIENCE_S = patient(60.0)
"""How long a test waits before it fails: far longer than any step here takes."""

STOPS_S = 5.0 + patient(3.0)
"""The time that R12 allows, and the time that a busy machine needs to begin and end a process."""

Said = Mapping[str, Any]


@dataclass(slots=True)
class Program:
    """One process of ``powerd``, and the lines of its log since it was first started.

    With ``fresh`` it loads all its modules itself, as in production, and can be any command: for a
    benchmark, or a program in a namespace.
    """

    command: Sequence[str]
    fresh: bool = False
    said: list[Said] = field(default_factory=list)
    starts: int = 0
    _process: Forked | None = None
    _reading: asyncio.Task[None] | None = None
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def start(self) -> None:
        """Start it (again)."""
        fresh = self.command if self.fresh else ()
        module = ("",) if self.fresh else forked.module_of(self.command)
        self._process = forked.start(*module, read="stderr", fresh=fresh)
        self.starts += 1
        self._reading = asyncio.create_task(self._read_log(self._process))

    async def kill(self) -> None:
        """SIGKILL."""
        await self._end(signal.SIGKILL)

    async def stop(self, *, early: bool = False, by: signal.Signals = signal.SIGTERM) -> float:
        """Send the signal; returns the seconds until it ended with code 0.

        With ``early`` the signal may also kill it, since it does not handle signals yet.
        """
        began_s = asyncio.get_running_loop().time()
        code = await self._end(by)
        assert code == 0 or (early and code == -by), self._log(0)
        return asyncio.get_running_loop().time() - began_s

    async def ended(self) -> int:
        """Its exit code, after it ended by itself and its whole log was read."""
        assert self._process is not None
        assert self._reading is not None
        async with asyncio.timeout(PATIENCE_S):
            await self._reading
            return await self._process.ended()

    async def account(self) -> Mapping[str, Sequence[str]]:
        """What it logs on SIGUSR1: ``tasks``, ``threads`` and ``descriptors``."""
        mark = self.mark()
        os.kill(self.pid, signal.SIGUSR1)
        return dict((await self.says("WhatRuns", since=mark))["facts"])

    @property
    def pid(self) -> int:
        """The process id of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    async def end_if_running(self) -> None:
        """Kill the process if the test left it running."""
        if self.running:
            await self.kill()

    def mark(self) -> int:
        """The present end of the log: ``since`` for lines that come later."""
        return len(self.said)

    async def says(self, event: str, *, since: int = 0, **facts: object) -> Said:
        """Wait for a line about ``event`` whose facts are equal to ``facts`` (a text: contain it)."""
        wanted = f"{event} {facts}"

        def found() -> Said | None:
            return next((line for line in self.said[since:] if _matches(line, event, facts)), None)

        try:
            async with asyncio.timeout(PATIENCE_S), self._news:
                await self._news.wait_for(lambda: found() is not None or not self.running)
        except TimeoutError:
            raise AssertionError(f"it never logged {wanted}, but: {self._log(since)}") from None
        line = found()
        assert line is not None, f"it ended and did not log {wanted}, but: {self._log(since)}"
        return line

    def count(self, event: str, **facts: object) -> int:
        """The number of such lines in the log so far."""
        return sum(_matches(line, event, facts) for line in self.said)

    def _log(self, since: int) -> str:
        return "\n".join(
            f"{line['time'][14:]} {line.get('event', line['message'])} {line.get('facts', '')}"
            for line in self.said[since:]
            if line.get("event") != "Reconciled"
        )

    async def _end(self, how: signal.Signals) -> int:
        process, reading = self._process, self._reading
        assert process is not None
        assert reading is not None
        if process.returncode is None:
            process.send_signal(how)
        async with asyncio.timeout(PATIENCE_S):
            await reading
            return await process.ended()

    async def _read_log(self, process: Forked) -> None:
        async for text in await process.reader():
            try:
                line = json.loads(text)
            except ValueError:
                line = {"time": "", "message": text.decode()}
            async with self._news:
                self.said.append(line)
                self._news.notify_all()
        await process.ended()
        async with self._news:
            self._news.notify_all()


def _matches(line: Said, event: str, facts: Mapping[str, object]) -> bool:
    logged = line.get("facts", {})
    return line.get("event", line.get("message")) == event and all(
        value in logged.get(name, "") if isinstance(value, str) else logged.get(name) == value
        for name, value in facts.items()
    )
