"""Settings of what people and monitoring systems see: faults and metrics."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from app.entrypoints.settings.base import PositiveSeconds, Section


class Faults(Section, frozen=True):
    """Where faults are shown; they are logged in any case."""

    kind: Annotated[
        Literal["auto", "log", "zui"],
        Meta(description="Which adapter; `auto`: the profile's. `zui`: Zero-OS' console."),
    ] = "auto"
    hook_command: Annotated[
        tuple[str, ...],
        Meta(
            description="Run when a fault appears and when it is over, without a shell; `FAULT_KEY`, `FAULT_STATE` (`raised` or `cleared`), `FAULT_MESSAGE` and `FAULT_REMEDY` are in its environment (docs/monitoring.md). Empty: none."
        ),
    ] = ()
    hook_timeout_s: Annotated[
        PositiveSeconds, Meta(description="Seconds it may take; then it is killed, and the log says so.")
    ] = 30.0


class Metrics(Section, frozen=True):
    """Metrics and health for monitoring systems (docs/monitoring.md). They can be read and nothing else."""

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
            description="The address to listen at. No password is asked: at `0.0.0.0` or `::` every program that reaches this machine can read them.",
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="0: one that is free; the log says which.")] = 9617
    textfile: Annotated[
        str,
        Meta(
            description="File that is written for node_exporter's textfile collector, such as `/var/lib/prometheus/node-exporter/powerd.prom`; its directory has to be writable for powerd. Empty: none. It is independent of `kind`."
        ),
    ] = ""
    textfile_interval_s: Annotated[PositiveSeconds, Meta(description="Seconds from one writing to the next.")] = 15.0
