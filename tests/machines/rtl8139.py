"""The registers of an RTL8139C+ that say whether a magic packet wakes the machine."""

from __future__ import annotations

import re

from tests.machines.lines import JsonLines

CONFIG3 = 0x59
MAGIC = 1 << 5
VENDOR = "10ec:8139"


class NoSuchCard(Exception):
    """QEMU shows no such card, or does not say where its registers are."""


class Rtl8139:
    """Read through QEMU's monitor, past the kernel and its driver; also of a machine that is off."""

    def __init__(self, qmp: JsonLines) -> None:
        self._qmp = qmp

    async def wakes_by_magic_packet(self) -> bool:
        """Bit 5 of Config3."""
        said = await self._monitor(f"i /xb 0x{await self._base() + CONFIG3:x}")
        found = re.search(r"= 0x([0-9a-f]+)", said)
        if found is None:
            raise NoSuchCard(f"the card's register could not be read: {said}")
        return bool(int(found[1], 16) & MAGIC)

    async def _base(self) -> int:
        said = await self._monitor("info pci")
        card = said.partition(f"PCI device {VENDOR}")[2].partition("Bus ")[0]
        found = re.search(r"I/O at 0x([0-9a-f]+)", card)
        if found is None:
            raise NoSuchCard(f"no card {VENDOR} with I/O ports: {said}")
        return int(found[1], 16)

    async def _monitor(self, command: str) -> str:
        answer = await self._qmp.ask(execute="human-monitor-command", arguments={"command-line": command})
        return str(answer["return"])
