"""What an operator, a program or a cable may do to a machine that is up, in two boots."""

from __future__ import annotations

import asyncio

from tests.machines.machine import Machine
from tests.machines.scenes import at
from tests.machines.stand import BOOT_S, SLEEP_S, NotSo, Stand

SETTINGS = {"POWERD_UPTIME_INTERVAL_S": "30", "POWERD_CHAIN_FINALIZED_HEAD_AGE_S_MAX": "600"}
UNPLUGGED_S = 60.0


async def workday(stand: Stand) -> None:
    """Held, inhibited, killed, rebooted, its clock set, its cable pulled, its card disarmed: and then it sleeps."""
    async with at(stand, settings=SETTINGS) as machine:
        await stand.boot(machine)
        await _checked(stand, machine)
        await _held(stand, machine)
        await _inhibited(stand, machine)
        await _killed(stand, machine)
        await _rebooted_by_hand(stand, machine)
        await _clock_set(stand, machine)
        await _cable_pulled(stand, machine)
        await stand.holds(machine, "for card in $(ls /sys/class/net/br0/brif); do ethtool -s $card wol d; done")
        await stand.sleeps(machine)
        stand.tells("armed though `wol d`")


async def _checked(stand: Stand, machine: Machine) -> None:
    """As root, who has neither the service's key nor its settings."""
    shown = await stand.holds(machine, "powerd check --service --only key --only settings")
    if "POWERD_UPTIME_INTERVAL_S" not in shown:
        raise NotSo(f"`powerd check --service` does not see the settings of the service: {shown}")
    stand.tells("checked as the service")


async def _held(stand: Stand, machine: Machine) -> None:
    machine.mark()
    await stand.holds(machine, "powerd hold add copy --reason 'nightly copy' --for 2h")
    await _stays_up(stand, machine, "held by copy: nightly copy")
    await stand.holds(machine, "powerd hold lift copy")
    stand.tells("held")


async def _inhibited(stand: Stand, machine: Machine) -> None:
    machine.mark()
    command = "systemd-inhibit --what=shutdown --who=backup --why='tape is turning' --mode=block sleep infinity"
    await stand.holds(machine, f"systemd-run --quiet --unit=blocker {command}")
    await _stays_up(stand, machine, "tape is turning")
    await stand.holds(machine, "systemctl stop blocker")
    stand.tells("inhibited")


async def _stays_up(stand: Stand, machine: Machine, why: str) -> None:
    """Though its target is Down."""
    await stand.farm.farmer("down", "1", "--yes")
    await machine.says(f"staying up though the target is Down.*{why}", within_s=SLEEP_S)
    await stand.farm.farmer("up", "1")
    await stand.farm.until_state("Up", within_s=SLEEP_S)


async def _killed(stand: Stand, machine: Machine) -> None:
    machine.mark()
    await stand.holds(machine, "kill -9 $(systemctl show --property MainPID --value powerd)")
    await stand.reports(machine, is_boot=False)
    shown = await stand.holds(machine, "systemctl show --property NRestarts --value powerd")
    if shown != "1":
        raise NotSo(f"killed once, it was started again {shown} times")
    stand.tells("started again after kill -9")


async def _rebooted_by_hand(stand: Stand, machine: Machine) -> None:
    """No business of powerd's: the chain says Up all along."""
    machine.forget_resets()
    machine.mark()
    await stand.holds(machine, "(sleep 1; systemctl reboot) >/dev/null 2>&1 &")
    await machine.reboots(within_s=SLEEP_S)
    state = (await stand.farm.power()).state.power.value
    if state != "Up":
        raise NotSo(f"rebooted by hand, and the chain says {state}")
    machine.mark()
    await stand.reports(machine)
    stand.tells("rebooted by hand")


async def _clock_set(stand: Stand, machine: Machine) -> None:
    """Wrong by five minutes it reports no uptime; set right it does again."""
    machine.mark()
    await stand.holds(machine, "date --set '+5 minutes'")
    await machine.says("fault key=clock-drift", within_s=BOOT_S)
    await stand.holds(machine, "date --set '-5 minutes'")
    await machine.says("fault over key=clock-drift", within_s=BOOT_S)
    machine.mark()
    await stand.reports(machine, is_boot=False)
    stand.tells("clock set, and set back")


async def _cable_pulled(stand: Stand, machine: Machine) -> None:
    """A Down that it can't read powers nothing off; plugged in again, it goes on as before."""
    await machine.plug("host", plugged=False)
    await stand.farm.farmer("down", "1", "--yes")
    await asyncio.sleep(UNPLUGGED_S)
    state = (await stand.farm.power()).state.power.value
    if state != "Up":
        raise NotSo(f"without a cable to the chain it changed its state to {state}")
    await stand.farm.farmer("up", "1")
    machine.mark()
    await machine.plug("host", plugged=True)
    await stand.reports(machine, is_boot=False)
    stand.tells("cable pulled")
