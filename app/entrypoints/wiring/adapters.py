"""Makes each adapter from the settings. Imports stand inside, so that only what is used is loaded."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.domain.backoff import Jitter
from app.entrypoints.settings.key_files import NODE_CREDENTIAL, node_key
from app.entrypoints.settings.loading import SettingsError
from app.entrypoints.settings.profiles import broker_url, profile_of
from app.entrypoints.settings.schema import Settings
from app.entrypoints.wiring.file_adapters import BOOTS_FILE, ZOS_BOOTS_FILE
from app.ports.clock import Clock
from app.ports.telemetry import Telemetry

if TYPE_CHECKING:
    from app.adapters.files.all_holds import AllHolds
    from app.adapters.files.block_cursor import FileBlockCursor
    from app.adapters.files.holds import FileHolds
    from app.adapters.files.instance_lock import InstanceLock
    from app.adapters.linux.clock import SystemClock
    from app.adapters.linux.host_facts import LinuxHostFacts
    from app.adapters.linux.host_power import SystemctlHostPower
    from app.adapters.linux.inhibitors import LogindInhibitors
    from app.adapters.linux.nic import LinuxNic
    from app.adapters.linux.rtc_alarm import LinuxRtcAlarm
    from app.adapters.redis.power_events import RedisPowerEvents
    from app.adapters.redis.power_events_out import RedisPowerEventsOut
    from app.adapters.substrate.blocks import SubstrateBlocks
    from app.adapters.substrate.chain import SubstrateChain
    from app.adapters.substrate.client import SubstrateClient
    from app.adapters.substrate.endpoint_health import SubstrateEndpoints
    from app.adapters.substrate.identity import SubstrateIdentity
    from app.adapters.substrate.signs_of_life import SubstrateSignsOfLife
    from app.adapters.telemetry.fan_out import FanOut
    from app.adapters.telemetry.log import LogTelemetry
    from app.adapters.telemetry.no_display import NoDisplay
    from app.adapters.wol.raw import RawMagicPackets
    from app.adapters.wol.several import SeveralMagicPackets
    from app.adapters.wol.udp import UdpMagicPackets

ALARM_FILE = BOOTS_FILE.with_name("alarm.json")
ZOS_ALARM_FILE = ZOS_BOOTS_FILE.with_name("alarm.json")
"""On Zero-OS only the cache disk outlives a boot."""

Packets = TypeVar("Packets", "RawMagicPackets", "UdpMagicPackets")

CONNECT_S_MAX = 10.0
NEVER_S = float("inf")


def system_jitter() -> Jitter:
    """Chance, different on every node."""
    return random.Random().random  # noqa: S311 - it spreads retries, it keeps no secret


def system_clock() -> SystemClock:
    from app.adapters.linux.clock import SystemClock

    return SystemClock()


def log_telemetry() -> LogTelemetry:
    from app.adapters.telemetry.log import LogTelemetry

    return LogTelemetry(logging.getLogger("powerd"))


def fan_out(listeners: list[Telemetry]) -> FanOut:
    from app.adapters.telemetry.fan_out import FanOut

    return FanOut(listeners)


def no_display() -> NoDisplay:
    """The log has the faults by telemetry."""
    from app.adapters.telemetry.no_display import NoDisplay

    return NoDisplay()


# -- Redis ------------------------------------------------------------------------------------------


def redis_power_events(settings: Settings) -> RedisPowerEvents:
    from app.adapters.redis.power_events import RedisPowerEvents

    events = settings.events
    return RedisPowerEvents(
        broker_url(settings),
        stream=events.stream,
        group=events.group,
        consumer=events.consumer,
        dead_letter_stream=events.dead_letter_stream,
        batch=events.batch,
    )


def redis_power_events_out(settings: Settings) -> RedisPowerEventsOut:
    from app.adapters.redis.power_events_out import RedisPowerEventsOut

    return RedisPowerEventsOut(broker_url(settings), stream=settings.events.stream)


# -- this program ----------------------------------------------------------------------------------


def instance_lock(settings: Settings, program: str) -> InstanceLock:
    """Of ``powerd``, or of ``powerd-events``."""
    from app.adapters.files.instance_lock import InstanceLock

    if settings.lock.dir:
        return InstanceLock([Path(settings.lock.dir)])
    user = os.environ.get("XDG_RUNTIME_DIR")
    runs = [Path("/run") / program, *([Path(user) / program] if user else []), Path(f"/tmp/{program}-{os.geteuid()}")]  # noqa: S108 - the last resort of a user who may write nowhere else
    return InstanceLock(runs)


# -- the host ---------------------------------------------------------------------------------------


def linux_nic(settings: Settings) -> LinuxNic:
    """The card behind the bridge."""
    from app.adapters.linux.nic import LinuxNic

    nic = settings.nic
    armed_file = Path(nic.armed_file) if nic.armed_file else None
    return LinuxNic(nic.bridge, magic_alone=nic.wake_modes == "magic", armed_file=armed_file)


def raw_magic_packets(settings: Settings) -> RawMagicPackets | SeveralMagicPackets:
    from app.adapters.wol.raw import RawMagicPackets

    return _by_each_interface(settings, RawMagicPackets)


def udp_magic_packets(settings: Settings) -> UdpMagicPackets | SeveralMagicPackets:
    from app.adapters.wol.udp import UdpMagicPackets

    packets = settings.magic_packets
    return _by_each_interface(settings, lambda interface: UdpMagicPackets(interface, packets.host, packets.port))


def _by_each_interface(settings: Settings, sender: Callable[[str], Packets]) -> Packets | SeveralMagicPackets:
    from app.adapters.wol.several import SeveralMagicPackets

    senders = {interface: sender(interface) for interface in settings.magic_packets.interfaces}
    return SeveralMagicPackets(senders) if len(senders) > 1 else next(iter(senders.values()))


def systemctl_host_power(settings: Settings) -> SystemctlHostPower:
    """systemd, or whatever commands the settings name."""
    from app.adapters.linux.host_power import SystemctlHostPower

    power = settings.host_power
    return SystemctlHostPower(
        power.power_off_command,
        power.force_power_off_command,
        power.reboot_command,
        power.force_reboot_command,
        power.state_command,
        power.timeout_s,
    )


def linux_host_facts(settings: Settings) -> LinuxHostFacts:
    """Facts from /proc and the flag files."""
    from app.adapters.linux.host_facts import LinuxHostFacts

    facts = settings.host_facts
    return LinuxHostFacts(Path(facts.flags_dir), machine=Path(facts.machine_file) if facts.machine_file else None)


def file_holds(settings: Settings, clock: Clock) -> FileHolds:
    from app.adapters.files.holds import FileHolds

    return FileHolds(Path(settings.holds.dir), clock, linux_host_facts(settings))


def linux_rtc_alarm(settings: Settings) -> LinuxRtcAlarm:
    """The alarm of the clock."""
    from app.adapters.linux.rtc_alarm import LinuxRtcAlarm

    usual = ZOS_ALARM_FILE if profile_of(settings) == "zos" else ALARM_FILE
    memory = Path(settings.rtc_alarm.file) if settings.rtc_alarm.file else usual
    return LinuxRtcAlarm(Path(settings.rtc_alarm.device), memory)


def logind_inhibitors(settings: Settings) -> LogindInhibitors:
    """What logind was asked to block; where the profile alone chose it, it may be missing."""
    from app.adapters.linux.inhibitors import LogindInhibitors

    holds = settings.holds
    return LogindInhibitors(holds.inhibitors_command, holds.inhibitors_timeout_s, required=holds.kind == "logind")


def file_and_logind_holds(settings: Settings, clock: Clock) -> AllHolds:
    from app.adapters.files.all_holds import AllHolds

    return AllHolds([file_holds(settings, clock), logind_inhibitors(settings)])


def file_block_cursor(settings: Settings) -> FileBlockCursor:
    from app.adapters.files.block_cursor import FileBlockCursor

    return FileBlockCursor(Path(settings.follower.cursor_file))


# -- the chain --------------------------------------------------------------------------------------


def substrate_client(settings: Settings) -> SubstrateClient:
    """One client for everything: its connection and the runtime's metadata are shared."""
    from app.adapters.substrate.client import SubstrateClient

    chain = settings.chain
    return SubstrateClient(
        chain.urls,
        timeout_s=chain.timeout_s,
        connect_timeout_s=min(chain.timeout_s, CONNECT_S_MAX),
        genesis_hash=chain.genesis_hash,
        stale_head_s=chain.best_head_age_s_max or NEVER_S,
        stale_finalized_s=chain.finalized_head_age_s_max or NEVER_S,
    )


def substrate_chain(settings: Settings, client: SubstrateClient) -> SubstrateChain:
    """The chain, with the node's key where there is one (without, it only reads)."""
    from app.adapters.substrate.chain import SubstrateChain

    key = node_key(settings)
    return SubstrateChain(
        client,
        seed=key,
        key_type=settings.identity.key_type,
        inclusion_timeout_s=settings.chain.inclusion_timeout_s,
        era_blocks=settings.chain.era_blocks,
    )


def substrate_identity(settings: Settings, client: SubstrateClient) -> SubstrateIdentity:
    """Who this node is, looked up by its key, or checked against it."""
    from app.adapters.substrate.identity import SubstrateIdentity

    key = node_key(settings)
    identity = settings.identity
    if key is None and not identity.node_id:
        raise SettingsError(
            "who is this node? Name its key file (identity.key_file, POWERD_IDENTITY_KEY_FILE, or the systemd "
            f"credential {NODE_CREDENTIAL}), or give identity.node_id"
        )
    return SubstrateIdentity(
        client,
        node_id=identity.node_id or None,
        seed=key,
        key_type=identity.key_type,
    )


def substrate_signs_of_life(client: SubstrateClient) -> SubstrateSignsOfLife:
    """Nonces of the farm's nodes."""
    from app.adapters.substrate.signs_of_life import SubstrateSignsOfLife

    return SubstrateSignsOfLife(client)


def substrate_endpoints(client: SubstrateClient) -> SubstrateEndpoints:
    from app.adapters.substrate.endpoint_health import SubstrateEndpoints

    return SubstrateEndpoints(client)


def substrate_blocks(client: SubstrateClient) -> SubstrateBlocks:
    from app.adapters.substrate.blocks import SubstrateBlocks

    return SubstrateBlocks(client)
