"""Zero-OS' daemons around powerd, as processes that can be killed, frozen and started again."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.rigs import forked_program as forked
from tests.rigs.forked_program import Forked
from tests.slowness import patient

READY_S = patient(60)
STAND_INS = "app.entrypoints.neighbours.__main__"
"""Named in full, as the forge has it loaded."""
ZINIT = "app.entrypoints.neighbours.zinit"


@dataclass(slots=True)
class Neighbour:
    """One of these daemons. ``said`` are the lines that it printed after it was ready."""

    arguments: Sequence[str]
    said: list[str] = field(default_factory=list)
    _process: Forked | None = None
    _hearing: asyncio.Task[None] | None = None
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def start(self) -> None:
        """Wait until it serves."""
        self._process = forked.start(*self.arguments)
        stdout = await self._process.reader()
        async with asyncio.timeout(READY_S):
            assert await stdout.readline() == b"ready\n"
        self._hearing = asyncio.create_task(self._hear(stdout))

    async def kill(self) -> None:
        """SIGKILL, if it runs."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
        await self._process.ended()
        if self._hearing is not None:
            await self._hearing
        self._process = self._hearing = None

    def freeze(self) -> None:
        """Freeze it (SIGSTOP)."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def says(self, text: str, *, since: int = 0) -> str:
        """Wait for a line that contains ``text``."""
        async with asyncio.timeout(READY_S), self._news:
            await self._news.wait_for(lambda: any(text in line for line in self.said[since:]))
        return next(line for line in self.said[since:] if text in line)

    async def _hear(self, stdout: asyncio.StreamReader) -> None:
        async for line in stdout:
            async with self._news:
                self.said.append(line.decode().strip())
                self._news.notify_all()


@dataclass(slots=True)
class Neighbourhood:
    """The five daemons."""

    registrar: Neighbour
    identityd: Neighbour
    gateway: Neighbour
    zui: Neighbour
    zinit: Neighbour

    @property
    def all(self) -> tuple[Neighbour, ...]:
        """The daemons in the order in which they start on a node."""
        return (self.zinit, self.identityd, self.registrar, self.gateway, self.zui)

    async def start(self) -> None:
        """Start them all at once."""
        await asyncio.gather(*(each.start() for each in self.all))

    async def console_shows(self, text: str, *, since: int = 0) -> Mapping[str, Any]:
        """Wait for a push to zui that contains ``text``."""
        pushed: Mapping[str, Any] = json.loads(await self.zui.says(text, since=since))
        return pushed


@asynccontextmanager
async def neighbourhood(
    directory: Path, broker: str, me: Mapping[str, Any], farm: int, chain: str, *, zinit: str = "v0.2.14"
) -> AsyncIterator[Neighbourhood]:
    """The daemons, not started yet; those that run at the end are killed."""
    order = f"sh {directory}/power-off.sh orderly"
    made = Neighbourhood(
        registrar=Neighbour(
            (*(STAND_INS, "registrar", "--broker", broker), *("--node", str(me["id"]), "--twin", str(me["twin_id"])))
        ),
        identityd=Neighbour((STAND_INS, "identityd", "--broker", broker, "--farm", str(farm))),
        gateway=Neighbour(
            (STAND_INS, "api-gateway", "--broker", broker, "--chain", chain, "--key-file", me["key_file"])
        ),
        zui=Neighbour((STAND_INS, "zui", "--broker", broker)),
        zinit=Neighbour((ZINIT, "--socket", f"{directory}/zinit.sock", "--version", zinit, "--on-shutdown", order)),
    )
    try:
        yield made
    finally:
        await asyncio.gather(*(each.kill() for each in made.all))
