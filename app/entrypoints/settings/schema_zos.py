"""Settings of Zero-OS: its init system, and its daemons."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from app.entrypoints.settings.base import Command, PositiveSeconds, Section


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
