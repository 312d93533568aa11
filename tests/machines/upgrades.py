"""An upgrade of the package: while the machine is off, while it runs, and in the middle of a shutdown."""

from __future__ import annotations

from tests.machines.image import NEXT_DEB
from tests.machines.machine import Machine
from tests.machines.next_version import COMMIT
from tests.machines.scenes import PATIENT, at, woken
from tests.machines.stand import BOOT_S, SLEEP_S, NotSo, Stand

SETTINGS = "/etc/powerd/powerd.toml"
WITHOUT_POWERD = ("systemd.mask=powerd.service", "systemd.mask=powerd-events.service")
"""On the kernel's command line, as of a machine that is fixed."""


async def upgrades(stand: Stand) -> None:
    """Settings and power state outlive an upgrade, whenever it comes."""
    async with at(stand, settings=PATIENT) as machine:
        await stand.boot(machine)
        await stand.holds(machine, f"echo '# mine' >>{SETTINGS}")
        await stand.sleeps(machine)
        await _while_asleep(stand, machine)
        await _while_awake(stand, machine)
        await _while_going_down(stand, machine)


async def _while_asleep(stand: Stand, machine: Machine) -> None:
    """Nothing in it speaks to the chain until it is woken."""
    await machine.unplug()
    await machine.switch_on(*WITHOUT_POWERD)
    stand.boots += 1
    before = await machine.sh("powerd --version", within_s=BOOT_S)
    await _install(stand, machine)
    if COMMIT in before[1]:
        raise NotSo(f"it was of the next version before the upgrade: {before[1]}")
    state = await machine.sh("systemctl is-active powerd.service powerd-events.service")
    if "active" in state[1].split():
        raise NotSo("dpkg started a service that did not run")
    machine.forget_resets()
    await stand.holds(machine, "sync; (sleep 1; systemctl poweroff) >/dev/null 2>&1 &")
    await machine.goes_off(within_s=SLEEP_S)
    await stand.stays_down()
    await woken(stand, machine)
    await _is_next(stand, machine)
    stand.tells("upgraded while off")


async def _while_awake(stand: Stand, machine: Machine) -> None:
    """Both services start again, and the state stays Up."""
    machine.mark()
    await _install(stand, machine)
    await stand.reports(machine, is_boot=False)
    await stand.units_run(machine)
    await _is_next(stand, machine)
    stand.tells("upgraded while up")


async def _while_going_down(stand: Stand, machine: Machine) -> None:
    """A Down that is not final yet is taken back; the new daemon starts again, and powers off."""
    await stand.farm.farmer("down", "1", "--yes")
    await stand.farm.until_state("Down", within_s=SLEEP_S)
    stand.farm.hold_finality(True)
    machine.mark()
    await _install(stand, machine)
    await stand.farm.until_state("Up", within_s=SLEEP_S)
    stand.farm.hold_finality(False)
    await stand.farm.until_state("Down", within_s=SLEEP_S)
    await machine.goes_off(within_s=SLEEP_S)
    await stand.stays_down()
    stand.tells("upgraded between Down and power-off: Up, Down, off")


async def _install(stand: Stand, machine: Machine) -> None:
    await stand.holds(machine, f"DEBIAN_FRONTEND=noninteractive dpkg --install {NEXT_DEB} </dev/null")


async def _is_next(stand: Stand, machine: Machine) -> None:
    said = await stand.holds(machine, f"powerd --version; tail -1 {SETTINGS}")
    if COMMIT not in said or not said.endswith("# mine"):
        raise NotSo(f"after the upgrade the machine says {said!r}")
