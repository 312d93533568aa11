"""Settings of this machine: its card, its init system, its clock, and the files that are kept."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from app.entrypoints.settings.base import Command, PositiveSeconds, Section


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
