"""One machine: its disk, its card, its power button, and what its console says."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.machines.debian import run
from tests.machines.image import Image, write_into
from tests.machines.lines import Gone, JsonLines
from tests.machines.rtl8139 import Rtl8139

LOOK_S = 0.3
PING_S = 3.0
TOLD_LINES = 40
MEMORY_MIB = 768
RTL8139 = "rtl8139"
"""The card whose registers are read when the machine is off."""


class TooLate(Exception):
    """What was waited for did not come; the text has the console's last lines."""


@dataclass(slots=True)
class Machine:
    """Off at first. Its disk is its own, and outlives a power-off.

    ``segment`` is the UDP port (of ours, of the other side) of the cable; ``accel`` QEMU's accelerator.
    """

    image: Image
    directory: Path
    mac: str
    segment: tuple[int, int]
    accel: str
    card: str = RTL8139
    boots: int = 0
    qmp: JsonLines | None = None
    agent: JsonLines | None = None
    _process: asyncio.subprocess.Process | None = None
    _seen: int = 0
    _events: int = 0
    _console: Path = field(init=False)

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True)
        self._console = self.directory / "console.log"
        self._console.touch()

    def insert_disk(self, files: Mapping[str, str]) -> None:
        """A new disk of the image, and on it these files: root's, and for root's eyes alone in /etc/powerd."""
        disk = self.directory / "disk.raw"
        run("cp", "--sparse=always", "--reflink=auto", str(self.image.disk), str(disk))
        sources = []
        for number, (path, text) in enumerate(files.items()):
            source = self.directory / f"file-{number}"
            source.write_text(text)
            source.chmod(0o600 if path.startswith("/etc/powerd/") else 0o644)
            sources.append((path, source))
        write_into(disk, sources)

    async def switch_on(self, *kernel: str, root: str = "rw") -> None:
        """As its power button does; ``kernel`` are more words on the kernel's command line."""
        self.boots += 1
        self.mark()
        self._process = await asyncio.create_subprocess_exec(
            *("nice", "-n", "5", "qemu-system-x86_64", *self._hardware()),
            *("-kernel", str(self.image.kernel), "-initrd", str(self.image.initrd)),
            *("-append", " ".join((*COMMAND_LINE, root, *kernel))),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(self.directory / "qemu.log").open("ab"),
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(60):
                self.qmp = await JsonLines.to(self.directory / "qmp.sock")
                await self.qmp.ask(execute="qmp_capabilities")
                self.agent = await JsonLines.to(self.directory / "agent.sock")
        except (TimeoutError, Gone):
            said = (self.directory / "qemu.log").read_text()
            raise TooLate(f"QEMU did not start: {said}") from None
        self._events = 0

    async def sh(self, command: str, *, within_s: float = 300) -> tuple[int, str]:
        """Exit code and output of a shell command in the machine, run as root; waits until it is up so far."""
        agent = self._alive(self.agent)
        deadline_s = asyncio.get_running_loop().time() + within_s
        # What is sent before the agent listens is lost.
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(PING_S):
                    await agent.ask(sh="true")
                    break
            if asyncio.get_running_loop().time() > deadline_s:
                raise TooLate(f"the machine did not answer within {within_s:.0f} s:\n{self.told()}")
        try:
            async with asyncio.timeout(within_s):
                answer = await agent.ask(sh=command)
        except (TimeoutError, Gone):
            raise TooLate(f"no answer to {command!r}:\n{self.told()}") from None
        return int(answer["code"]), str(answer["said"]).strip()

    def mark(self) -> None:
        """From here on is looked for what the console says."""
        self._seen = self._console.stat().st_size

    async def says(self, pattern: str, *, within_s: float) -> re.Match[str]:
        """Wait for this regular expression on the console."""
        deadline_s = asyncio.get_running_loop().time() + within_s
        while True:
            found = re.search(pattern, self.said(), re.MULTILINE)
            if found:
                return found
            if asyncio.get_running_loop().time() > deadline_s:
                raise TooLate(f"the console did not say {pattern!r} within {within_s:.0f} s:\n{self.told()}")
            if self._process is not None and self._process.returncode is not None:
                raise TooLate(f"QEMU ended before the console said {pattern!r}:\n{self.told()}")
            await asyncio.sleep(LOOK_S)

    def said(self) -> str:
        """On the console since the mark."""
        with self._console.open("rb") as console:
            console.seek(self._seen)
            return console.read().decode(errors="replace").replace("\r", "")

    def told(self) -> str:
        """The console's last lines, for a failure."""
        return "\n".join(f"    | {line}" for line in self.said().splitlines()[-TOLD_LINES:])

    async def goes_off(self, *, within_s: float) -> None:
        """Wait until it has powered itself off (ACPI S5); its chips keep their last state until `unplug`."""
        await self._goes("SHUTDOWN", "guest-shutdown", "power off", within_s)

    async def reboots(self, *, within_s: float) -> None:
        """Wait until it has reset itself."""
        await self._goes("RESET", "guest-reset", "reboot", within_s)
        self.boots += 1

    async def plug(self, network: str, *, plugged: bool) -> None:
        """Pull the cable of one of its cards (``segment`` or ``host``), or put it back."""
        await self._alive(self.qmp).ask(execute="set_link", arguments={"name": network, "up": plugged})

    def forget_resets(self) -> None:
        """What QEMU said until the system was up, of its firmware, is no reboot."""
        if self.qmp is not None:
            self._events = len(self.qmp.events)

    async def armed(self) -> bool:
        """Whether its card would wake it: what the chip itself says, or what its driver said at the very end."""
        if self.card != RTL8139:
            return re.search(r"machine: the end, poweroff: eth\d \w*g", self.said()) is not None
        return await Rtl8139(self._alive(self.qmp)).wakes_by_magic_packet()

    async def unplug(self) -> None:
        """It is off, and QEMU with it."""
        process, self._process = self._process, None
        for line in (self.qmp, self.agent):
            if line is not None:
                await line.close()
        self.qmp = self.agent = None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _goes(self, name: str, reason: str, what: str, within_s: float) -> None:
        qmp = self._alive(self.qmp)
        try:
            async with asyncio.timeout(within_s):
                event = await qmp.event("SHUTDOWN", "RESET", since=self._events)
        except TimeoutError:
            raise TooLate(f"the machine did not {what} within {within_s:.0f} s:\n{self.told()}") from None
        except Gone:
            raise TooLate(f"QEMU ended:\n{self.told()}") from None
        self._events = len(qmp.events)
        if (event["event"], event["data"]["reason"]) != (name, reason):
            raise TooLate(f"the machine did not {what}: {event['event']} {event['data']}:\n{self.told()}")

    def _alive(self, line: JsonLines | None) -> JsonLines:
        if line is None:
            raise TooLate("the machine is off")
        return line

    def _hardware(self) -> Sequence[str]:
        ours, theirs = self.segment
        return (
            *("-accel", self.accel, "-m", str(MEMORY_MIB), "-smp", "1", "-display", "none", "-nodefaults"),
            # Off is paused, so that the chips can be read.
            *("-no-shutdown", "-serial", f"file:{self._append_console()}"),
            *("-qmp", f"unix:{self.directory}/qmp.sock,server=on,wait=off"),
            *(
                "-device",
                "virtio-serial",
                "-chardev",
                f"socket,id=agent,path={self.directory}/agent.sock,server=on,wait=off",
            ),
            *("-device", "virtserialport,chardev=agent,name=machine"),
            *("-drive", f"file={self.directory}/disk.raw,format=raw,if=virtio,cache=unsafe"),
            *("-netdev", f"socket,id=segment,udp=127.0.0.1:{theirs},localaddr=127.0.0.1:{ours}"),
            *("-device", f"{self.card},netdev=segment,mac={self.mac}"),
            *("-netdev", "user,id=host", "-device", "virtio-net-pci,netdev=host,mac=52:54:00:00:00:01"),
        )

    def _append_console(self) -> Path:
        """QEMU starts its file again: what earlier boots said is kept beside it."""
        if self.boots > 1:
            shutil.copy(self._console, self.directory / f"console-{self.boots - 1}.log")
        self._console.write_bytes(b"")
        self._seen = 0
        return self._console


COMMAND_LINE = (
    "root=/dev/vda console=ttyS0 quiet net.ifnames=0",
    # Everything that is logged, powerd's lines too, and also when no disk takes it.
    "systemd.journald.forward_to_console=1 systemd.journald.max_level_console=info",
    "systemd.log_target=console systemd.show_status=1 rd.systemd.show_status=0 panic=-1",
)
