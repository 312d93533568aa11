"""What is shown on real machines. Each scene has a machine of its own, which has never been on."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from tests.machines.machine import RTL8139, Machine
from tests.machines.stand import BOOT_S, SLEEP_S, NotSo, Settings, Stand

STUBBORN = "/etc/systemd/system/stubborn.service"
SHORTER = "/usr/lib/systemd/system/poweroff.target.d/zz-shorter.conf"
"""Beside the package's: its directory is there."""
DISARM = "/etc/systemd/system/disarm.service"

JOB_TIMEOUT_S = 60
AS_INSTALLED_S = 600

PATIENT = {"POWERD_CHAIN_FINALIZED_HEAD_AGE_S_MAX": "600"}
"""With finality that stands still for a while."""

AFTER_KILL_S = 120.0
"""What ends the processes of a forced power-off takes up to 90 s, beyond the job's time."""


@asynccontextmanager
async def at(
    stand: Stand, files: Mapping[str, str] | None = None, settings: Settings | None = None, card: str = RTL8139
) -> AsyncIterator[Machine]:
    """A machine that is unplugged at the end; the farmer wants it up then."""
    machine = stand.machine(files, settings, card)
    try:
        await stand.farm.farmer("up", "1")
        yield machine
    finally:
        await machine.unplug()


async def full_disk(stand: Stand) -> None:
    """The root has no byte left from the first moment of the boot on."""
    async with at(stand) as machine:
        await stand.boot(machine, "machine.full_disk")
        if await stand.holds(machine, "df --output=avail / | tail -1") != "0":
            raise NotSo("the disk is not full")
        await stand.units_run(machine)
        await stand.sleeps(machine)


async def read_only_root(stand: Stand) -> None:
    """The root can't be written, as after an error of its file system."""
    async with at(stand) as machine:
        await stand.boot(machine, root="ro")
        await stand.holds(machine, "! touch /here 2>/dev/null")
        await stand.units_run(machine)
        await stand.sleeps(machine)


async def stubborn_service(stand: Stand, job_timeout_s: int = JOB_TIMEOUT_S) -> None:
    """A service refuses to stop in the shutdown that powerd ordered; systemd goes on by force."""
    files = {
        STUBBORN: "[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sleep infinity\nTimeoutStopSec=infinity\n",
    }
    if job_timeout_s != AS_INSTALLED_S:
        files[SHORTER] = f"[Unit]\nJobTimeoutSec={job_timeout_s}s\n"
    async with at(stand, files) as machine:
        await stand.boot(machine)
        await stand.holds(machine, "systemctl start stubborn")
        machine.mark()
        await stand.farm.farmer("down", "1", "--yes")
        await machine.says(r"powerd\[\d+\]: .*power-off ordered", within_s=SLEEP_S)
        ordered_s = time.monotonic()
        await machine.goes_off(within_s=job_timeout_s + AFTER_KILL_S + SLEEP_S)
        took_s = time.monotonic() - ordered_s
        if took_s < job_timeout_s / 2 or not machine.said().count("timed out"):
            raise NotSo(f"it went off after {took_s:.0f} s, so nothing was forced:\n{machine.told()}")
        stand.tells(f"forced {took_s:.0f} s after the order (job time-out {job_timeout_s} s)")
        await stand.stays_down()
        if not await machine.armed():
            raise NotSo(f"its card would not wake it:\n{machine.told()}")


async def as_installed(stand: Stand) -> None:
    """The same with the time that packaging sets."""
    await stubborn_service(stand, AS_INSTALLED_S)


async def reboots(stand: Stand) -> None:
    """A sleep is aborted after Down: powerd's user reboots; then by force; then it powers off by force."""
    async with at(stand, settings=PATIENT) as machine:
        await stand.boot(machine)
        await _aborted_sleep(stand, machine)
        stand.tells("rebooted")
        await _settings(stand, machine, {"POWERD_HOST_POWER_REBOOT_COMMAND": "true"})
        await _aborted_sleep(stand, machine, forced=True)
        stand.tells("rebooted by force")
        await _settings(stand, machine, {"POWERD_HOST_POWER_POWER_OFF_COMMAND": "true"})
        machine.mark()
        await stand.sleeps(machine)
        _was_forced(machine, "power-off")
        stand.tells("off by force")


async def no_logind(stand: Stand) -> None:
    """A host whose logind does not run: systemctl asks systemd itself, as powerd's user."""
    async with at(stand) as machine:
        await stand.boot(machine)
        await stand.holds(machine, "systemctl mask --now systemd-logind.service && systemctl restart powerd")
        machine.mark()
        await stand.sleeps(machine)
        if "forced=True" in machine.said():
            raise NotSo(f"it had to be forced:\n{machine.told()}")


def _was_forced(machine: Machine, what: str) -> None:
    """The order did nothing, so it was the unit for it; what systemd says of that may not reach the console."""
    if not re.search(rf"{what} ordered .*forced=True", machine.said()):
        raise NotSo(f"the {what} was not forced:\n{machine.told()}")


async def _aborted_sleep(stand: Stand, machine: Machine, *, forced: bool = False) -> None:
    await stand.farm.farmer("down", "1", "--yes")
    await stand.farm.until_state("Down", within_s=SLEEP_S)
    # A Down that is not final yet, and will not be before the farmer has set Up again.
    stand.farm.hold_finality(True)
    await stand.farm.farmer("up", "1")
    stand.farm.hold_finality(False)
    await machine.reboots(within_s=SLEEP_S)
    if forced:
        _was_forced(machine, "reboot")
    machine.mark()
    await stand.reports(machine)


async def _settings(stand: Stand, machine: Machine, more: Settings) -> None:
    """Other settings, with which powerd starts again."""
    text = stand.settings({"POWERD_SHUTDOWN_POWER_OFF_DEADLINE_S": "15", **PATIENT, **more})
    machine.mark()
    await stand.holds(machine, f"cat >/etc/powerd/powerd.env <<'END'\n{text}END\nsystemctl restart powerd && sync")
    await machine.says(r"powerd\[\d+\]: .*uptime reported", within_s=BOOT_S)


async def sleeps_and_wakes(stand: Stand) -> None:
    """Twice sent to sleep and called by the farm's other node; the second time with its card disarmed behind powerd."""
    # Ordered before powerd, so that it stops after it, as a network manager does.
    disarm = (
        "[Unit]\nBefore=powerd.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\n"
        "ExecStart=/bin/true\nExecStop=/bin/sh -c 'for card in $$(ls /sys/class/net/br0/brif); do"
        " ethtool -s $$card wol d; ethtool $$card >/dev/ttyS0; done'\n"
    )
    async with at(stand, {DISARM: disarm}) as machine:
        await stand.boot(machine)
        await stand.sleeps(machine)
        await woken(stand, machine)
        await stand.holds(machine, "systemctl start disarm")
        machine.mark()
        await stand.sleeps(machine)
        await machine.says(r"Wake-on: d\s(.*\n)*machine: the end, poweroff: eth\d g", within_s=1)
        stand.tells("armed again behind `wol d`")
        await woken(stand, machine)


async def woken(stand: Stand, machine: Machine) -> None:
    """The machine is off, and armed: the packet of another node is what switches it on."""
    await machine.unplug()
    await calls_it(stand)
    await stand.boot(machine)


async def calls_it(stand: Stand) -> None:
    """The farmer wants it up, and another node calls it."""
    stand.segment.called.clear()
    begun_s = time.monotonic()
    await stand.farm.farmer("up", "1")
    try:
        async with asyncio.timeout(SLEEP_S):
            await stand.segment.called.wait()
    except TimeoutError:
        raise NotSo(f"no magic packet for it came within {SLEEP_S:.0f} s") from None
    stand.tells(f"called {time.monotonic() - begun_s:.0f} s after the farmer's Up")
