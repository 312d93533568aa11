"""Settings of what people and monitoring systems see: faults and metrics."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from app.entrypoints.settings.base import PositiveSeconds, Section


class Faults(Section, frozen=True):
    """Where powerd shows faults; it logs them in any case."""

    kind: Annotated[
        Literal["auto", "log", "zui"],
        Meta(description="Which adapter; `auto`: the profile's. `zui`: Zero-OS' console."),
    ] = "auto"
    hook_command: Annotated[
        tuple[str, ...],
        Meta(
            description="The command that powerd runs when a fault appears and when it is over, without a shell; `FAULT_KEY`, `FAULT_STATE` (`raised` or `cleared`), `FAULT_MESSAGE` and `FAULT_REMEDY` are in its environment (docs/monitoring.md). Empty: none."
        ),
    ] = ()
    hook_timeout_s: Annotated[
        PositiveSeconds, Meta(description="Seconds that the command may take; then powerd kills it, and logs this.")
    ] = 30.0


class Metrics(Section, frozen=True):
    """Metrics and health for monitoring systems (docs/monitoring.md). Programs can only read them."""

    kind: Annotated[
        Literal["auto", "http", "off"],
        Meta(
            description="`http`: `/metrics` for Prometheus and `/healthz`. `auto`: `http` with systemd, `off` on Zero-OS, which has no Prometheus."
        ),
    ] = "auto"
    host: Annotated[
        str,
        Meta(
            min_length=1,
            description="The address to listen at. There is no password: at `0.0.0.0` or `::` every program that reaches this machine can read the metrics.",
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="0: any free port; the log says which.")] = 9617
    textfile: Annotated[
        str,
        Meta(
            description="File that powerd writes for node_exporter's textfile collector, such as `/var/lib/prometheus/node-exporter/powerd.prom`; powerd must be able to write to its directory. Empty: none. It is independent of `kind`."
        ),
    ] = ""
    textfile_interval_s: Annotated[PositiveSeconds, Meta(description="Seconds from one writing to the next.")] = 15.0
