"""The listeners of telemetry: the log, recent events, zbus, metrics, the fault hook. Each only if it is enabled."""

from __future__ import annotations

import logging
from collections.abc import Callable

from app.adapters.processes.fault_hook import FaultHook
from app.adapters.telemetry.fan_out import FanOut
from app.adapters.telemetry.log import LogTelemetry, NoDisplay
from app.entrypoints.settings.profiles import serves_zbus
from app.entrypoints.settings.schema import Settings
from app.ports.fault_display import FaultDisplay
from app.ports.telemetry import Telemetry


def telemetry(
    settings: Settings,
    recent: Telemetry,
    zbus: Callable[[], Telemetry],
    metrics: Telemetry | None,
    hook: FaultHook | None,
) -> Telemetry:
    more = [zbus() if serves_zbus(settings) else None, metrics, hook]
    return FanOut([LogTelemetry(logging.getLogger("powerd")), recent, *(each for each in more if each is not None)])


def log_display() -> FaultDisplay:
    return NoDisplay()


def fault_hook(settings: Settings) -> FaultHook | None:
    faults = settings.faults
    return FaultHook(faults.hook_command, faults.hook_timeout_s) if faults.hook_command else None
