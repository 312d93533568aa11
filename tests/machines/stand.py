"""What every scene is given: the farm, and a machine with powerd on it that has never been on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.machines.farm import MACHINE, Farm
from tests.machines.image import Image
from tests.machines.machine import RTL8139, Machine
from tests.machines.segment import Segment

BOOT_S = 1800.0
"""For a boot until powerd reports; far above what it takes where nothing else runs."""

SLEEP_S = 1200.0
"""For all between the farmer's Down and the end of the power."""

Settings = Mapping[str, str]


class NotSo(Exception):
    """A promise did not hold."""


@dataclass(slots=True)
class Stand:
    """``said`` are the figures of a scene, for its line."""

    image: Image
    directory: Path
    farm: Farm
    segment: Segment
    segment_port: int
    card_port: int
    accel: str
    said: list[str] = field(default_factory=list)
    boots: int = 0
    number: int = 0

    def machine(
        self, files: Mapping[str, str] | None = None, settings: Settings | None = None, card: str = RTL8139
    ) -> Machine:
        """A new one, with these files on its disk, and these settings of powerd besides what it needs."""
        self.number += 1
        node = self.farm.node(MACHINE)
        machine = Machine(
            self.image,
            self.directory / f"machine-{self.number}",
            str(node["mac"]),
            (self.card_port, self.segment_port),
            self.accel,
            card,
        )
        machine.insert_disk(
            {
                "/etc/powerd/node.key": Path(str(node["key_file"])).read_text(),
                "/etc/powerd/powerd.env": self.settings(settings or {}),
                **(files or {}),
            }
        )
        return machine

    def settings(self, more: Settings) -> str:
        """The settings file: what packaging/README.md says that most hosts need, and a shorter pace."""
        settings = {
            "POWERD_CHAIN_URLS": f"ws://10.0.2.2:{self.farm.port}",
            "POWERD_BROKER_URL": "redis://127.0.0.1:6379",
            "POWERD_NIC_BRIDGE": "br0",
            "POWERD_MAGIC_PACKETS_INTERFACE": "br0",
            "POWERD_POWER_MANAGEMENT_ENABLED": "true",
            "POWERD_POWER_MANAGEMENT_RECONCILE_INTERVAL_S": "20",
            **more,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())

    async def boot(self, machine: Machine, *kernel: str, root: str = "rw") -> None:
        """Switch it on, and wait until powerd has reported to the chain."""
        begun_s = time.monotonic()
        await machine.switch_on(*kernel, root=root)
        await self.reports(machine)
        self.tells(f"up in {time.monotonic() - begun_s:.0f} s")

    async def reports(self, machine: Machine, *, is_boot: bool = True) -> None:
        """Wait for the first uptime report of a boot, or of a new start of powerd, and for the state Up."""
        self.boots += is_boot
        await machine.says(r"powerd\[\d+\]: .*uptime reported", within_s=BOOT_S)
        machine.forget_resets()
        await self.farm.until_state("Up", within_s=BOOT_S)

    async def sleeps(self, machine: Machine, *, within_s: float = SLEEP_S) -> None:
        """The farmer sends it to sleep: Down on chain, then off, with its card armed."""
        begun_s = time.monotonic()
        await self.farm.farmer("down", "1", "--yes")
        await self.farm.until_state("Down", within_s=within_s)
        down_s = time.monotonic()
        await machine.goes_off(within_s=within_s)
        self.tells(f"Down after {down_s - begun_s:.0f} s, off {time.monotonic() - down_s:.0f} s later")
        await self.stays_down()
        if not await machine.armed():
            raise NotSo(f"the machine is off, and its card would not wake it:\n{machine.told()}")

    async def stays_down(self) -> None:
        """A machine that is off must be Down on chain."""
        state = (await self.farm.power()).state.power.value
        if state != "Down":
            raise NotSo(f"the machine is off, and the chain says {state}")

    async def holds(self, machine: Machine, command: str) -> str:
        """The output of a command in the machine that has to succeed."""
        code, said = await machine.sh(command)
        if code:
            raise NotSo(f"in the machine failed (exit code {code}): {command}\n{said}")
        return said

    async def units_run(self, machine: Machine) -> None:
        """Both units, each as its own user, and never started again since the boot."""
        for unit, user in (("powerd", "powerd"), ("powerd-events", "powerd-events")):
            shown = await self.holds(machine, f"systemctl show -p ActiveState -p NRestarts -p MainPID {unit}")
            of_it = dict(line.split("=") for line in shown.splitlines())
            state, restarts, pid = of_it["ActiveState"], of_it["NRestarts"], of_it["MainPID"]
            owner = await self.holds(machine, f"stat -c %U /proc/{pid}")
            if (state, restarts, owner) != ("active", "0", user):
                raise NotSo(
                    f"{unit} is {state}, started again {restarts} times, and runs as {owner}:\n{machine.told()}"
                )

    def tells(self, what: str) -> None:
        """A figure of this scene."""
        self.said.append(what)
