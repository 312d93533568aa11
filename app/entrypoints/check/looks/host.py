"""Checks of this machine: whether powerd can power it off, what keeps it up, and whether files can be kept."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Sequence
from pathlib import Path

from app.adapters.processes.exhausted import remedy_of
from app.domain.errors import HostPowerFailed
from app.domain.moments import utc
from app.domain.rules.proved_wake import WakeRecord
from app.entrypoints.check.finding import Finding, failed, ok, warning
from app.entrypoints.check.subject import Subject
from app.entrypoints.wiring import host
from app.entrypoints.wiring.files import boots_file, wake_memory, woken_nodes

POLKIT = "allow this user to power off in polkit (packaging/polkit has the rule), or run powerd as root"
PROVE = "`powerd check --trial` lets it sleep once; docs/check.md says how to prove a wake"
ORDERS = (("CanPowerOff", "power off"), ("CanReboot", "reboot"))


async def power_off(subject: Subject) -> Sequence[Finding]:
    """Asks the init system, and does not try it."""
    await subject.container.host_power().check()
    if subject.uses("host_power", "zinit"):
        return [ok("zinit knows how to power off")]
    command = subject.settings.host_power.power_off_command
    if Path(command[0]).name != "systemctl":
        return [ok(f"`{' '.join(command)}` exists; whether it works shows only when it is used")]
    from app.adapters.linux.logind_rights import may

    try:
        answers = [(doing, await may(method, subject.answer_s)) for method, doing in ORDERS]
    except HostPowerFailed as error:
        seen = f"it is not known whether systemd would power off and reboot for powerd: {error}"
        return [warning(seen, "see that logind runs")]
    return [_allowed(doing, answer) for doing, answer in answers]


def _allowed(doing: str, answer: str) -> Finding:
    who = f"user {_user()}"
    if answer == "na":
        return failed(f"logind says that this machine can't {doing}", "see that the kernel has ACPI, or its like")
    if "inhibit" in answer:
        return warning(f"{who} may not {doing} while an inhibitor is held (logind: {answer})", "see holds")
    if answer != "yes":
        return failed(f"{who} may not {doing} (logind: {answer})", POLKIT)
    return ok(f"{who} may {doing}")


async def holds(subject: Subject) -> Sequence[Finding]:
    found = await subject.container.holds().active()
    if not found:
        return [ok("nothing keeps this node up")]
    lift = "`powerd hold list` says more; `powerd hold lift` lifts one, and an inhibitor ends with its program"
    return [warning(f"held by {hold.holder}: {hold.reason}", lift) for hold in found]


async def alarm(subject: Subject) -> Sequence[Finding]:
    """Reads only: no alarm is set."""
    device = Path(subject.settings.rtc_alarm.device)
    due_in_s = await subject.container.rtc_alarm().due_in_s()
    if not os.access(device / "wakealarm", os.W_OK):
        return [failed(f"{device}/wakealarm may not be written", "packaging/udev has the rule; or run powerd as root")]
    return [ok("no alarm is set" if due_in_s is None else f"an alarm is set, due in {due_in_s} s")]


async def health(subject: Subject) -> Sequence[Finding]:
    """Flags that keep the node from reporting uptime."""
    problems = subject.container.host_facts().health().problems
    if not problems:
        return [ok("no flag forbids uptime reports")]
    flags = subject.settings.host_facts.flags_dir
    return [failed(f"no uptime is reported: {', '.join(problems)}", f"repair what set the flag in {flags}")]


async def memory(subject: Subject) -> Sequence[Finding]:
    """The files that must outlive a boot, and other files of the settings, can be written."""
    settings = subject.settings
    places = {boots_file(settings).parent: "boot_memory.file"}
    if settings.rtc_alarm.enabled:
        places.setdefault(host.alarm_file(settings).parent, "rtc_alarm.file")
    if settings.metrics.textfile:
        places.setdefault(Path(settings.metrics.textfile).parent, "metrics.textfile")
    return await asyncio.gather(*(_room_in(directory, key, subject.answer_s) for directory, key in places.items()))


async def _room_in(directory: Path, key: str, timeout_s: float) -> Finding:
    from app.adapters.linux.disk_room import try_to_keep

    remedy = f"give powerd's user a disk with room for it ({key})"
    try:
        await try_to_keep(directory, timeout_s)
    except TimeoutError:
        return failed(f"{directory} did not answer: its disk hangs", remedy)
    except OSError as error:
        return failed(f"{directory} can't be written by user {_user()}: {error.strerror}", remedy_of(error, remedy))
    if not await asyncio.to_thread(directory.exists):
        return ok(f"{directory} is not there yet; powerd can make it")
    return ok(f"{directory} can be written")


async def proof(subject: Subject) -> Sequence[Finding]:
    """The wakes that the daemon saw of this node, and the nodes that this one woke (``powerd check --wake``)."""
    return [await _own_proof(subject), *await _woken(subject)]


async def _woken(subject: Subject) -> Sequence[Finding]:
    woken = await woken_nodes(subject.settings).load() or {}
    return [ok(f"this node woke node {node}, last at {utc(at_s)}") for node, at_s in woken.items()]


async def _own_proof(subject: Subject) -> Finding:
    record = await wake_memory(subject.settings).load() or WakeRecord()
    if record.proved_at_s is not None:
        return ok(f"a wake of this node was seen: the boot of {utc(record.proved_at_s)}")
    if subject.settings.power_management.require_proved_wake:
        return warning("no wake of this node was seen yet: it stays up (power_management.require_proved_wake)", PROVE)
    return ok("no wake of this node was seen yet; docs/check.md says how to prove one")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.geteuid())
