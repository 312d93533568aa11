"""The part of systemd at a notify socket: gets a daemon's notices, and ends a daemon that is silent for too long."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.rigs.program import PATIENCE_S, Program
from tests.slowness import patient

WATCHDOG_S = patient(1.0)


@dataclass(slots=True)
class NotifySocket:
    """``heard`` has the datagrams so far, as dictionaries."""

    receiver: socket.socket
    heard: list[dict[str, str]] = field(default_factory=list)

    async def next(self, within_s: float = PATIENCE_S) -> dict[str, str]:
        async with asyncio.timeout(within_s):
            data = await asyncio.get_running_loop().sock_recv(self.receiver, 4096)
        said = dict(line.split("=", 1) for line in data.decode().split("\n"))
        self.heard.append(said)
        return said

    async def until(self, **wanted: str) -> dict[str, str]:
        """Wait for a datagram that has these fields."""
        async with asyncio.timeout(PATIENCE_S):
            while not wanted.items() <= (said := await self.next()).items():
                pass
        return said

    async def end_when_it_is_silent(self, daemon: Program) -> None:
        """The watchdog: sends SIGABRT when no datagram came for `WATCHDOG_S`."""
        try:
            while True:
                await self.next(WATCHDOG_S)
        except TimeoutError:
            os.kill(daemon.pid, signal.SIGABRT)


@asynccontextmanager
async def notify_socket(directory: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[NotifySocket]:
    """Put the socket into the environment of programs that start from now on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(directory / "notify"))
        receiver.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(directory / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", f"{WATCHDOG_S * 1e6:.0f}")
        yield NotifySocket(receiver)
