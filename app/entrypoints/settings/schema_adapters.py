"""Settings of the adapters: addresses and files, and which adapter serves a port."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from app.entrypoints.settings.base import Command, Id, Port, PositiveSeconds, Seconds, Section


class Broker(Section, frozen=True):
    """The node's Redis."""

    url: Annotated[
        str,
        Meta(
            description="`unix:///path`, `tcp://host:port`, `redis://host:port` or, over TLS, `rediss://host:port`; user, "
            "password, database and certificates: docs/redis.md. Empty: `redis://127.0.0.1:6379`, and in the profile `zos` "
            "`unix:///var/run/redis.sock`."
        ),
    ] = ""


class Chain(Section, frozen=True):
    """The chain, and how old its heads can be."""

    kind: Annotated[
        Literal["auto", "substrate", "gateway", "simulated"],
        Meta(description="Which adapter; `auto`: the profile's. `gateway`: Zero-OS' api-gateway, over zbus."),
    ] = "auto"
    urls: Annotated[
        tuple[str, ...],
        Meta(min_length=1, description="WebSocket endpoints of the chain, tried in this order."),
    ] = ("ws://127.0.0.1:9944",)
    timeout_s: Annotated[
        PositiveSeconds, Meta(description="Seconds that one answer may take. Then the next endpoint is asked.")
    ] = 20.0
    inclusion_timeout_s: Annotated[
        PositiveSeconds, Meta(description="Seconds within which an extrinsic must be in a block.")
    ] = 60.0
    era_blocks: Annotated[
        int,
        Meta(
            ge=4,
            le=4096,
            description="Blocks for which a signed extrinsic stays valid, a power of two. With 8 blocks of 6 s the last block that can "
            "hold an uptime report comes 42 s after the head it was signed at: the chain refuses a report 60 s after its sample.",
        ),
    ] = 8
    genesis_hash: Annotated[
        str,
        Meta(
            pattern="^(0x[0-9a-f]{64})?$",
            description="Hash of the chain's block 0 (`0x…`), if only this chain will do. Empty: that of the first "
            "endpoint that answers.",
        ),
    ] = ""
    best_head_age_s_max: Annotated[
        Seconds,
        Meta(description="Seconds; with an older best head the node does not power off. 0: not checked."),
    ] = 60.0
    finalized_head_age_s_max: Annotated[
        Seconds,
        Meta(description="The same for the finalized head. 0 suits a chain that makes blocks on demand."),
    ] = 120.0


class Identity(Section, frozen=True):
    """The ids and the key of this node."""

    kind: Annotated[
        Literal["auto", "key", "configured", "registrar", "simulated"],
        Meta(
            description="`key`: powerd looks up the ids from the key; `configured`: powerd checks the id in `node_id`; "
            "`registrar`: powerd asks Zero-OS' registrar, over zbus."
        ),
    ] = "auto"
    node_id: Annotated[Id, Meta(description="The node's id on chain. 0: powerd looks it up from the key.")] = 0
    farm_id: Annotated[
        Id, Meta(description="The farm's id. 0: powerd takes it from the node's record, or asks identityd.")
    ] = 0
    key_file: Annotated[
        str,
        Meta(
            description="File with the node's private key (hex seed, Go's 64 bytes, or a mnemonic), readable by its owner only. "
            "Empty: the systemd credential `node-key`."
        ),
    ] = ""
    key_type: Annotated[Literal["ed25519", "sr25519"], Meta(description="Zero-OS nodes have ed25519 keys.")] = "ed25519"


class Events(Section, frozen=True):
    """The stream of power-target events in Redis. The names are those of the Go programs."""

    kind: Annotated[
        Literal["auto", "redis", "simulated"], Meta(description="Which adapter; `auto`: the profile's.")
    ] = "auto"
    stream: Annotated[str, Meta(min_length=1, description="Key of the stream.")] = "stream:power-target"
    group: Annotated[
        str,
        Meta(
            min_length=1,
            description="Consumer group. The Go consumer uses this name for every stream; under another name the "
            "stream would deliver its whole history again.",
        ),
    ] = "group:stream:public-config:power"
    consumer: Annotated[str, Meta(min_length=1, description="Name of the consumer in the group.")] = "power"
    dead_letter_stream: Annotated[
        str, Meta(min_length=1, description="The stream for entries that are no events, with the reason.")
    ] = "stream:power-target:dead-letter"
    batch: Annotated[int, Meta(ge=1, le=1024, description="Entries read at once.")] = 512
    stale_after_s: Annotated[
        PositiveSeconds, Meta(description="Seconds. An older entry only makes the node look at the chain.")
    ] = 600.0


class Nic(Section, frozen=True):
    """The network card that wakes this node."""

    kind: Annotated[
        Literal["auto", "linux", "simulated"], Meta(description="Which adapter; `auto`: the profile's.")
    ] = "auto"
    bridge: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=15,
            description="The bridge above this machine's one card, bond or team, directly or by a VLAN; or that card, bond or team itself. powerd arms every leg of a bond that can wake the machine.",
        ),
    ] = "zos"
    wake_modes: Annotated[
        Literal["keep", "magic"],
        Meta(
            description="`keep`: wake modes that others switched on (`ethtool CARD`: p, u, m, b, a, s) stay on, and powerd logs them; by them ordinary traffic may wake the machine. `magic`: powerd switches all but magic packet off."
        ),
    ] = "keep"
    armed_file: Annotated[
        str,
        Meta(
            description="The file that powerd writes right before its power-off, for the last hook of the shutdown, which arms the card again (packaging/systemd-shutdown). Empty: none."
        ),
    ] = "/run/powerd/armed-cards"
    mac: Annotated[str, Meta(description="Only for `simulated`: the card's address.")] = ""


class MagicPackets(Section, frozen=True):
    """How powerd calls sleeping peers."""

    kind: Annotated[
        Literal["auto", "raw", "udp", "simulated"],
        Meta(description="`raw`: Ethernet frames 0x0842 (needs CAP_NET_RAW); `udp`: broadcast datagrams."),
    ] = "auto"
    interface: Annotated[
        Annotated[str, Meta(max_length=15)]
        | Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=15)], ...], Meta(min_length=1)],
        Meta(
            description='The interface to send on, or a list (`["br0", "br1"]`) if peers are in several networks: each packet is sent on every one. For `udp`, empty: as routed. Names are not longer than 15.'
        ),
    ] = "zos"
    host: Annotated[str, Meta(min_length=1, description="For `udp`: the destination address.")] = "255.255.255.255"
    port: Annotated[Port, Meta(description="For `udp`: the destination port.")] = 9

    @property
    def interfaces(self) -> tuple[str, ...]:
        """The interfaces, each once."""
        return (self.interface,) if isinstance(self.interface, str) else tuple(dict.fromkeys(self.interface))


class HostPower(Section, frozen=True):
    """How powerd switches the machine off."""

    kind: Annotated[
        Literal["auto", "systemctl", "zinit", "simulated"], Meta(description="Which adapter; `auto`: the profile's.")
    ] = "auto"
    power_off_command: Annotated[Command, Meta(description="The command for an orderly power-off.")] = (
        "systemctl",
        "poweroff",
    )
    force_power_off_command: Annotated[
        Command, Meta(description="Powers off without waiting for services, when the orderly power-off had no effect.")
    ] = (
        "systemctl",
        "poweroff",
        "--force",
    )
    reboot_command: Annotated[Command, Meta(description="The command for an orderly reboot.")] = (
        "systemctl",
        "reboot",
    )
    force_reboot_command: Annotated[
        Command, Meta(description="Reboots without waiting for services, when the orderly reboot had no effect.")
    ] = (
        "systemctl",
        "reboot",
        "--force",
    )
    state_command: Annotated[Command, Meta(description="Prints `stopping` while the system goes down.")] = (
        "systemctl",
        "is-system-running",
    )
    timeout_s: Annotated[PositiveSeconds, Meta(description="Seconds that one of these commands may take.")] = 30.0


class HostFacts(Section, frozen=True):
    """Uptime, boot and health of this machine."""

    kind: Annotated[
        Literal["auto", "linux", "simulated"], Meta(description="Which adapter; `auto`: the profile's.")
    ] = "auto"
    flags_dir: Annotated[
        str,
        Meta(min_length=1, description="Directory of the health flag files; a flagged node reports no uptime."),
    ] = "/tmp/flags"  # noqa: S108 - the place where Zero-OS puts them
    machine_file: Annotated[
        str,
        Meta(
            description="Only for the demo and tests: the file with boot id and boot time of a pretend machine. Empty: this machine's own."
        ),
    ] = ""


class Holds(Section, frozen=True):
    """Requests not to power off."""

    kind: Annotated[
        Literal["auto", "files", "logind", "simulated"],
        Meta(
            description="Which adapter; `auto`: the profile's. `logind`: files, and logind's block inhibitors of a shutdown; `auto` means the same with systemd, but without logind where there is none."
        ),
    ] = "auto"
    dir: Annotated[str, Meta(min_length=1, description="Directory with one file per hold (`powerd hold`).")] = (
        "/run/powerd/holds"
    )
    inhibitors_command: Annotated[
        Command, Meta(description="Prints the answer of logind's ListInhibitors, as `busctl --json=short` does.")
    ] = (
        "busctl",
        "--json=short",
        "call",
        "org.freedesktop.login1",
        "/org/freedesktop/login1",
        "org.freedesktop.login1.Manager",
        "ListInhibitors",
    )
    inhibitors_timeout_s: Annotated[
        PositiveSeconds,
        Meta(description="Seconds that this command may take. No answer in time is doubt, and doubt never powers off."),
    ] = 5.0


class BootMemory(Section, frozen=True):
    """What is kept over restarts and boots: the boot-loop guard's count, and a Down that is not credited yet."""

    kind: Annotated[
        Literal["auto", "files", "simulated"], Meta(description="Which adapter; `auto`: the profile's.")
    ] = "auto"
    file: Annotated[
        str,
        Meta(
            description="The file. It must outlive a boot. Empty: `/var/lib/powerd/boots.json`, and in the profile `zos` `/var/cache/powerd/boots.json`. The last Down is kept beside it, in `boots-window.json`."
        ),
    ] = ""


class RtcAlarm(Section, frozen=True):
    """The alarm of the machine's clock: with it a sleeping node comes back even if no node can wake it."""

    kind: Annotated[
        Literal["auto", "linux", "simulated"], Meta(description="Which adapter; `auto`: the profile's.")
    ] = "auto"
    enabled: Annotated[
        bool,
        Meta(
            description="`true`: before every power-off powerd sets the alarm and reads it back; if that fails, the node does not power off. powerd clears the alarm at its start. It leaves an earlier alarm of another program, and restores a later one when the machine is up again."
        ),
    ] = False
    ahead_s: Annotated[
        int,
        Meta(
            ge=60,
            description="Seconds ahead. Many clocks take no more than 86400. The alarm does not keep the limit of 24 h after which a sleep is not paid (docs/minting.md): only a target Up does.",
        ),
    ] = 82800
    device: Annotated[str, Meta(min_length=1, description="The clock's directory in sysfs.")] = "/sys/class/rtc/rtc0"
    file: Annotated[
        str,
        Meta(
            description="The file that records which alarm is powerd's. It must outlive a boot. Empty: `/var/lib/powerd/alarm.json`, and in the profile `zos` `/var/cache/powerd/alarm.json`."
        ),
    ] = ""


class Zinit(Section, frozen=True):
    """The init system of Zero-OS. Its deadline is `host_power.timeout_s`."""

    socket: Annotated[str, Meta(min_length=1, description="zinit's socket.")] = "/var/run/zinit.sock"
    version_command: Annotated[Command, Meta(description="Prints zinit's version, such as `zinit v0.2.11`.")] = (
        "zinit",
        "-V",
    )
    force_power_off_command: Annotated[
        Command, Meta(description="Powers off without zinit, when the orderly power-off had no effect.")
    ] = ("poweroff", "-f")
    force_reboot_command: Annotated[
        Command, Meta(description="Reboots without zinit, when the orderly reboot had no effect.")
    ] = (
        "reboot",
        "-f",
    )


class Zbus(Section, frozen=True):
    """Calls to Zero-OS' other daemons, and from them (RPC over the node's Redis)."""

    serve: Annotated[
        bool,
        Meta(description="Serve module `power` (docs/zbus.md) to other programs, where the event stream is Redis."),
    ] = True
    timeout_s: Annotated[
        PositiveSeconds, Meta(description="Seconds that an answer of registrar, identityd or zui may take.")
    ] = 10.0
    gateway_timeout_s: Annotated[
        PositiveSeconds,
        Meta(description="The same for api-gateway, which serves all programs of the node, one call after the other."),
    ] = 60.0
    gateway_farm_interval_s: Annotated[
        PositiveSeconds,
        Meta(
            description="Seconds between looks at the whole farm through api-gateway, which takes a call for each node."
        ),
    ] = 1800.0
    gateway_follow_up_s: Annotated[
        PositiveSeconds, Meta(description="Seconds between looks while the answer is in doubt, behind api-gateway.")
    ] = 10.0
