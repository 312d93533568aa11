"""This machine: its card, its init system, its clock, and what keeps it up."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

from app.adapters.files.holds import AllHolds, FileHolds
from app.adapters.files.instance_lock import InstanceLock
from app.adapters.linux.host_facts import LinuxHostFacts
from app.adapters.linux.host_power import SystemctlHostPower
from app.adapters.linux.inhibitors import LogindInhibitors
from app.adapters.linux.nic import LinuxNic
from app.adapters.linux.rtc_alarm import LinuxRtcAlarm
from app.adapters.linux.service_manager import SystemdServiceManager
from app.adapters.wol.datagrams import DatagramMagicPackets
from app.adapters.wol.raw import RawMagicPackets
from app.adapters.wol.several import Sender, SeveralMagicPackets
from app.adapters.wol.udp import UdpMagicPackets
from app.domain.backoff import Jitter
from app.entrypoints.settings.profiles import profile_of
from app.entrypoints.settings.schema import Settings
from app.entrypoints.wiring.files import BOOTS_FILE, ZOS_BOOTS_FILE
from app.ports.clock import Clock

ALARM_FILE = BOOTS_FILE.with_name("alarm.json")
ZOS_ALARM_FILE = ZOS_BOOTS_FILE.with_name("alarm.json")
"""On Zero-OS only the cache disk outlives a boot."""


def system_jitter() -> Jitter:
    """Random jitter, different on every node."""
    return random.Random().random  # noqa: S311 - it spreads retries, and protects no secret


def service_manager() -> SystemdServiceManager:
    """The notify socket of systemd, if systemd started this process."""
    return SystemdServiceManager(os.environ)


def instance_lock(settings: Settings, program: str) -> InstanceLock:
    """Of ``powerd``, or of ``powerd-events``."""
    if settings.lock.dir:
        return InstanceLock([Path(settings.lock.dir)])
    user = os.environ.get("XDG_RUNTIME_DIR")
    runs = [Path("/run") / program, *([Path(user) / program] if user else []), Path(f"/tmp/{program}-{os.geteuid()}")]  # noqa: S108 - the last resort of a user who may write nowhere else
    return InstanceLock(runs)


def linux_nic(settings: Settings) -> LinuxNic:
    nic = settings.nic
    armed_file = Path(nic.armed_file) if nic.armed_file else None
    return LinuxNic(nic.bridge, magic_alone=nic.wake_modes == "magic", armed_file=armed_file)


def raw_magic_packets(settings: Settings) -> Sender:
    return _by_each_interface(settings, RawMagicPackets)


def udp_magic_packets(settings: Settings) -> Sender:
    packets = settings.magic_packets
    return _by_each_interface(settings, lambda interface: UdpMagicPackets(interface, packets.host, packets.port))


def _by_each_interface(settings: Settings, sender: Callable[[str], DatagramMagicPackets]) -> Sender:
    senders = {interface: sender(interface) for interface in settings.magic_packets.interfaces}
    return SeveralMagicPackets(senders) if len(senders) > 1 else next(iter(senders.values()))


def systemctl_host_power(settings: Settings) -> SystemctlHostPower:
    """systemd, or the commands of the settings."""
    return settings.host_power.build(SystemctlHostPower)


def linux_host_facts(settings: Settings) -> LinuxHostFacts:
    facts = settings.host_facts
    return LinuxHostFacts(Path(facts.flags_dir), machine=Path(facts.machine_file) if facts.machine_file else None)


def file_holds(settings: Settings, clock: Clock) -> FileHolds:
    return FileHolds(Path(settings.holds.dir), clock, linux_host_facts(settings))


def linux_rtc_alarm(settings: Settings) -> LinuxRtcAlarm:
    return LinuxRtcAlarm(Path(settings.rtc_alarm.device), alarm_file(settings))


def alarm_file(settings: Settings) -> Path:
    usual = ZOS_ALARM_FILE if profile_of(settings) == "zos" else ALARM_FILE
    return Path(settings.rtc_alarm.file) if settings.rtc_alarm.file else usual


def logind_inhibitors(settings: Settings) -> LogindInhibitors:
    """The inhibitors of logind, which can be missing where only the profile chose it."""
    holds = settings.holds
    return LogindInhibitors(holds.inhibitors_command, holds.inhibitors_timeout_s, required=holds.kind == "logind")


def file_and_logind_holds(settings: Settings, clock: Clock) -> AllHolds:
    """Files last: they are read at once, and logind can take seconds, in which a program places its hold."""
    return AllHolds([logind_inhibitors(settings), file_holds(settings, clock)])
