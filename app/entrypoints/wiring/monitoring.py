"""The daemon's output: the log, zbus, metrics, the fault hook. Each only if it is enabled."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.adapters.processes.fault_hook import FaultHook
from app.adapters.telemetry.fan_out import FanOut
from app.adapters.telemetry.log import LogTelemetry
from app.domain.rules.health import Loops
from app.domain.services.context.progress import OF_A_DAEMON, Progress
from app.entrypoints.settings.profiles import has_metrics, serves_metrics, serves_zbus
from app.entrypoints.settings.schema import Settings
from app.ports.clock import Clock
from app.ports.operator import Operator
from app.ports.telemetry import Telemetry

if TYPE_CHECKING:
    from app.adapters.prometheus.instruments import Instruments
    from app.adapters.prometheus.monitor import Monitor
    from app.adapters.prometheus.server import PageServer
    from app.adapters.prometheus.textfile import Textfile
    from app.adapters.zbus.domain_events import ZbusDomainEvents


def telemetry(
    settings: Settings,
    recent: Telemetry,
    zbus: Callable[[], ZbusDomainEvents],
    counts: Instruments | None,
    hook: FaultHook | None,
    clock: Clock,
) -> Telemetry:
    """All listeners of telemetry."""
    listeners: list[Telemetry] = [LogTelemetry(logging.getLogger("powerd")), recent]
    if serves_zbus(settings):
        listeners.append(zbus())
    if counts is not None:
        from app.adapters.prometheus.telemetry import PrometheusTelemetry

        listeners.append(PrometheusTelemetry(counts, clock))
    if hook is not None:
        listeners.append(hook)
    return FanOut(listeners)


def instruments(settings: Settings) -> Instruments | None:
    """None where metrics are off: the library costs a megabyte, and some milliseconds at the start."""
    if not has_metrics(settings):
        return None
    from app.adapters.prometheus.instruments import Instruments

    return Instruments()


def fault_hook(settings: Settings) -> FaultHook | None:
    faults = settings.faults
    return FaultHook(faults.hook_command, faults.hook_timeout_s) if faults.hook_command else None


def monitor(operator: Operator, progress: Progress, counts: Instruments | None, clock: Clock) -> Monitor | None:
    if counts is None:
        return None
    from app.adapters.prometheus.monitor import Monitor

    return Monitor(operator, lambda: Loops(OF_A_DAEMON, progress.silent_s, progress.silence_s_max), counts, clock)


def page_server(settings: Settings, seen: Monitor | None) -> PageServer | None:
    """Serves `/metrics` and `/healthz`; None where it is off."""
    if seen is None or not serves_metrics(settings):
        return None
    from app.adapters.prometheus.server import PageServer

    return PageServer(settings.metrics.host, settings.metrics.port, seen.pages())


def textfile(settings: Settings, seen: Monitor | None) -> Textfile | None:
    path = settings.metrics.textfile
    if not path or seen is None:
        return None
    from app.adapters.prometheus.textfile import Textfile

    return Textfile(Path(path), seen.text)
