"""All settings in one typed tree. Each key has its meaning, unit and reason.

`docs/configuration.md` is generated from this file. Reading files and environment is
`app.entrypoints.settings.loading`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from app.entrypoints.settings.base import Section
from app.entrypoints.settings.schema_host import BootMemory, Holds, HostFacts, HostPower, Nic, RtcAlarm
from app.entrypoints.settings.schema_monitoring import Faults, Metrics
from app.entrypoints.settings.schema_network import Broker, Chain, Events, Identity, MagicPackets
from app.entrypoints.settings.schema_services import (
    BootLoop,
    Farmer,
    Follower,
    Lock,
    Log,
    PowerManagement,
    Shutdown,
    Status,
    Supervision,
    Uptime,
    Wake,
)
from app.entrypoints.settings.schema_zos import Zbus, Zinit


class Settings(Section, frozen=True):
    """The whole tree."""

    profile: Annotated[
        Literal["auto", "systemd", "zos", "simulated"],
        Meta(
            description="The set of adapters that `auto` means elsewhere. `auto` here: `zos` where zinit's socket exists, else `systemd`."
        ),
    ] = "auto"
    broker: Broker = Broker()
    chain: Chain = Chain()
    identity: Identity = Identity()
    events: Events = Events()
    nic: Nic = Nic()
    magic_packets: MagicPackets = MagicPackets()
    host_power: HostPower = HostPower()
    host_facts: HostFacts = HostFacts()
    zinit: Zinit = Zinit()
    holds: Holds = Holds()
    boot_memory: BootMemory = BootMemory()
    rtc_alarm: RtcAlarm = RtcAlarm()
    faults: Faults = Faults()
    metrics: Metrics = Metrics()
    zbus: Zbus = Zbus()
    power_management: PowerManagement = PowerManagement()
    boot_loop: BootLoop = BootLoop()
    wake: Wake = Wake()
    shutdown: Shutdown = Shutdown()
    uptime: Uptime = Uptime()
    follower: Follower = Follower()
    supervision: Supervision = Supervision()
    status: Status = Status()
    lock: Lock = Lock()
    farmer: Farmer = Farmer()
    log: Log = Log()
