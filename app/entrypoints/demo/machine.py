"""A simulated machine: a power supply, a network card that hears magic packets, and processes.

Only the card and the power supply are simulated. What runs while the machine is on are the real
daemons, started when it boots and ended when it powers off.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from app.adapters.libraries.timeouts import timeout
from app.adapters.linux.host_facts import boot_stand_in
from app.domain.model import Mac

STOP_S = 15.0
"""How long a process may take to end after SIGTERM, less than on a real machine."""

LOOK_S = 0.05

REBOOT = "reboot"
"""A command writes this to the button's file for a reboot."""

MAGIC_HEAD = b"\xff" * 6
WARNINGS = (" WARNING ", " ERROR ", " CRITICAL ")


@dataclass(frozen=True, slots=True)
class Daemon:
    """A program that runs while the machine is on."""

    name: str
    command: Sequence[str]


@dataclass(slots=True)
class Machine:
    """One node of the demo. Times are the event loop's."""

    node: int
    mac: Mac
    daemons: Sequence[Daemon]
    directory: Path
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    on: bool = False
    boots: int = 0
    packets_heard: int = 0
    packets_to_lose: int = 0
    first_heard_at_s: float | None = None
    """Since `listen_again`, or since it went dark."""
    exit_codes: list[int | None] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _ending: asyncio.Lock = field(default_factory=asyncio.Lock)
    _running: list[asyncio.subprocess.Process] = field(default_factory=list)
    _logs: list[IO[bytes]] = field(default_factory=list)

    @property
    def button(self) -> Path:
        """The file that the power-off command writes. It is a plain file, so that people can read it."""
        return self.directory / f"node-{self.node}.power"

    @property
    def going_down(self) -> Path:
        """The file that exists from the power-off command to the next boot: the system is stopping."""
        return self.directory / f"node-{self.node}.stopping"

    @property
    def cursor(self) -> Path:
        """The file in which its follower stores its place."""
        return self.directory / f"node-{self.node}-cursor.json"

    @property
    def boot_file(self) -> Path:
        """The file with its boot id, so that its daemons do not read this host's."""
        return self.directory / f"node-{self.node}.boot"

    def log(self, daemon: Daemon) -> Path:
        return self.directory / f"node-{self.node}-{daemon.name}.log"

    async def live(self, card: socket.socket) -> None:
        """Receive magic packets and the power-off command until cancelled; then go dark."""
        self.button.unlink(missing_ok=True)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(card), name=f"card of node {self.node}")
                group.create_task(self._watch_button(), name=f"power supply of node {self.node}")
        finally:
            await self.power_off()
            card.close()

    async def boot(self) -> None:
        """Start the daemons, unless the machine is on."""
        if self.on:
            return
        self.on = True
        self.boots += 1
        self.going_down.unlink(missing_ok=True)
        boot_stand_in(self.boot_file)
        for daemon in self.daemons:
            log = self.log(daemon).open("ab")
            self._logs.append(log)
            process = await asyncio.create_subprocess_exec(
                *daemon.command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
            self._running.append(process)
        await self._notify()

    async def power_off(self) -> None:
        """Stop the daemons as an init system does, then go dark."""
        await self._end(signal.SIGTERM)

    async def crash(self) -> None:
        await self._end(signal.SIGKILL)

    def uptime_reports(self) -> int:
        log = self.log(self.daemons[0])
        return log.read_bytes().count(b"uptime reported") if log.exists() else 0

    def listen_again(self) -> None:
        """Forget the first packet, so that the next one becomes it."""
        self.first_heard_at_s = None

    def last_warnings(self, count: int) -> list[str]:
        """The last of each of its logs that has any, after the place of that log."""
        found = []
        for daemon in self.daemons:
            log = self.log(daemon)
            lines = log.read_text(errors="replace").splitlines() if log.exists() else []
            if warnings := [line for line in lines if any(level in line for level in WARNINGS)]:
                found += [f"{log}:", *(f"    {line}" for line in warnings[-count:])]
        return found or [f"{self.log(self.daemons[0])} has no warnings"]

    def died(self) -> list[str]:
        """Daemons that ended while the machine is on, with their exit codes."""
        if not self.on:
            return []
        return [
            f"{daemon.name} (exit code {process.returncode})"
            for daemon, process in zip(self.daemons, self._running, strict=False)
            if process.returncode is not None
        ]

    async def _listen(self, card: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._hear(await loop.sock_recv(card, 2048))

    async def _watch_button(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            if self.button.exists() and self.button.read_text():
                reboots = self.button.read_text().strip() == REBOOT
                self.button.unlink()
                await self.power_off()
                if reboots:
                    await self.boot()

    async def _hear(self, frame: bytes) -> None:
        """A packet came. Only one to the card's own address boots the machine, if that is off."""
        if self.on or MAGIC_HEAD + self.mac.octets * 16 not in frame:
            return
        if self.packets_to_lose:
            self.packets_to_lose -= 1
            return
        self.packets_heard += 1
        if self.first_heard_at_s is None:
            self.first_heard_at_s = asyncio.get_running_loop().time()
        await self.boot()

    async def _end(self, how: signal.Signals) -> None:
        """Whether it is on. It is until the last process has ended, and packets have no effect until then."""
        async with self._ending:
            running, self._running = self._running, []
            await _end_all(running, how)
            if running:
                self.exit_codes = [process.returncode for process in running]
            while self._logs:
                self._logs.pop().close()
            self.listen_again()
            self.on = False
        await self._notify()

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()


async def _end_all(running: Sequence[asyncio.subprocess.Process], how: signal.Signals) -> None:
    for process in running:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
    for process in running:
        try:
            async with timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def broadcast_socket(host: str, port: int) -> socket.socket:
    """A UDP socket for broadcasts to ``host`` and ``port``, which other sockets can share."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.setblocking(False)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    return listening
