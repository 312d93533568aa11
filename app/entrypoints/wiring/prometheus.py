"""What monitoring systems see: metrics and health. The library costs a megabyte, and some milliseconds at the start."""

from __future__ import annotations

from pathlib import Path

from app.adapters.prometheus.instruments import Instruments
from app.adapters.prometheus.monitor import Monitor
from app.adapters.prometheus.server import PageServer
from app.adapters.prometheus.telemetry import PrometheusTelemetry
from app.adapters.prometheus.textfile import Textfile
from app.domain.rules.health import Loops
from app.domain.services.context.progress import OF_A_DAEMON, Progress
from app.entrypoints.settings.schema import Settings
from app.ports.clock import Clock
from app.ports.operator import Operator


def monitor(operator: Operator, progress: Progress, counts: Instruments, clock: Clock) -> Monitor:
    return Monitor(operator, lambda: Loops(OF_A_DAEMON, progress.silent_s, progress.silence_s_max), counts, clock)


def page_server(settings: Settings, seen: Monitor) -> PageServer:
    """Serves `/metrics` and `/healthz`."""
    return PageServer(settings.metrics.host, settings.metrics.port, seen.pages())


def textfile(settings: Settings, seen: Monitor) -> Textfile:
    return Textfile(Path(settings.metrics.textfile), seen.text)
