"""The daemon's monitoring tasks: HTTP, textfile and fault hook. A failure here does not affect the node."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from app.adapters.processes.exhausted import remedy_of
from app.domain.faults import FaultKind
from app.domain.services.context.fault_board import FaultBoard
from app.entrypoints.wiring.container import Container

if TYPE_CHECKING:
    from app.adapters.prometheus.server import PageServer
    from app.adapters.prometheus.textfile import Textfile

LISTEN_AGAIN_S = 60.0

log = logging.getLogger("powerd")


def show(container: Container, group: asyncio.TaskGroup) -> None:
    faults, metrics = container.faults(), container.settings().metrics
    if (server := container.page_server()) is not None:
        group.create_task(_serve(server, faults, f"{metrics.host}:{metrics.port}"), name="metrics: http")
    if (textfile := container.textfile()) is not None:
        group.create_task(_write(textfile, faults, metrics.textfile_interval_s), name="metrics: textfile")
    if (hook := container.fault_hook()) is not None:
        group.create_task(hook.run(), name="fault hook")


async def _serve(server: PageServer, faults: FaultBoard, address: str) -> None:
    """Retries: an address in use can become free."""

    def listening(url: str) -> None:
        log.info("metrics are served", extra={"event": "MetricsServed", "fields": {"url": f"{url}/metrics"}})
        faults.clear(FaultKind.METRICS.key())

    while True:
        try:
            await server.run(listening)
        except OSError as error:
            reason = error.strerror or str(error)
            remedy = remedy_of(error, 'give another metrics.host or metrics.port, or say metrics.kind = "off"')
            faults.report(FaultKind.METRICS.key(), f"metrics can't be served at {address}: {reason}; {remedy}")
            await asyncio.sleep(LISTEN_AGAIN_S)


async def _write(textfile: Textfile, faults: FaultBoard, every_s: float) -> None:
    from app.adapters.prometheus.textfile import TextfileNotWritten

    try:
        while True:
            try:
                await textfile.write()
            except TextfileNotWritten as error:
                remedy = "make its directory writable for powerd, or name another file (metrics.textfile)"
                faults.report(FaultKind.METRICS_TEXTFILE.key(), f"{error}; {remedy}")
            except Exception:
                log.exception("the metrics can't be made")  # monitoring must not end the daemon
            else:
                faults.clear(FaultKind.METRICS_TEXTFILE.key())
            await asyncio.sleep(every_s)
    finally:
        with suppress(TextfileNotWritten):
            await textfile.remove()
