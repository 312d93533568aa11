"""What a monitoring system gets: all metrics as text, and the health."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from app.adapters.prometheus import metrics
from app.adapters.prometheus.metrics import name_of
from app.adapters.prometheus.server import Page
from app.domain.faults import FaultKind
from app.domain.figures import without_figures
from app.domain.model import Power
from app.domain.rules.health import Loops, problems
from app.domain.status import NodeStatus
from app.ports.clock import Clock
from app.ports.operator import Operator

if TYPE_CHECKING:
    from app.adapters.prometheus.instruments import Instruments

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
REASON_MAX = 200
"""Characters of a label's value: Prometheus keeps each value for long."""


class Monitor:
    """Reads the node's status at each request, which reads nothing from the chain."""

    def __init__(self, operator: Operator, loops: Callable[[], Loops], instruments: Instruments, clock: Clock) -> None:
        self._operator = operator
        self._loops = loops
        self._instruments = instruments
        self._clock = clock
        self._started_at_s = clock.now()

    def pages(self) -> Mapping[str, Callable[[], Page]]:
        """By path, for the server."""
        return {"/metrics": lambda: Page(HTTPStatus.OK, TEXT_FORMAT, self.text()), "/healthz": self.health}

    def health(self) -> Page:
        """200 while the daemon is healthy, else 503; in JSON, with each reason and its remedy."""
        found = list(problems(self._operator.status(), self._loops()))
        shown = [{"what": each.what, "why": each.why, "remedy": each.remedy} for each in found]
        body = json.dumps({"healthy": not found, "problems": shown}, indent=2) + "\n"
        status = HTTPStatus.SERVICE_UNAVAILABLE if found else HTTPStatus.OK
        return Page(status, "application/json", body.encode())

    def text(self) -> bytes:
        status = self._operator.status()
        self._show_node(status)
        self._show_power(status)
        self._show_work(status)
        self._show_wrong(status)
        return self._instruments.text()

    def _show_node(self, status: NodeStatus) -> None:
        show = self._instruments.show
        show(metrics.BUILD_INFO, {(status.version,): 1})
        show(metrics.START_TIME, {(): self._started_at_s})
        who = status.identity
        show(metrics.NODE_INFO, {} if who is None else {(str(who.node), str(who.farm), str(who.twin)): 1})

    def _show_power(self, status: NodeStatus) -> None:
        show, power, window = self._instruments.show, status.power, status.uncredited
        show(metrics.TARGET_UP, {} if power is None else {(): power.target is Power.UP})
        show(metrics.STATE_UP, {} if power is None else {(): power.state.power is Power.UP})
        known = status.identity is not None
        show(metrics.ENABLED, {(): not status.not_enabled} if known else {})
        show(metrics.NOT_ENABLED_INFO, _info(without_figures(status.not_enabled)[:REASON_MAX]))
        show(metrics.STAYING_UP, {} if status.guard is None else {(name_of(status.guard),): 1})
        show(metrics.SHUTDOWN_STEP, _info(status.shutdown_step))
        show(metrics.UNCREDITED, {(): 0.0 if window is None else max(0.0, self._clock.now() - window.since_s)})
        deadlines = {} if window is None else {("boot",): window.boot_by_s, ("report",): window.report_by_s}
        show(metrics.UNCREDITED_DEADLINE, {label: at_s for label, at_s in deadlines.items() if at_s is not None})
        show(metrics.HOLDS, {(): len(status.holds)} if power is not None else {})

    def _show_work(self, status: NodeStatus) -> None:
        show, head, last = self._instruments.show, status.head, status.last_uptime
        show(metrics.LAST_REPORT, {} if last is None else {(): last.taken_at_s})
        show(metrics.LAST_HEAD, {} if head is None else {(): head.time_s})
        show(metrics.HEAD_BLOCK, {} if head is None or head.number is None else {(): head.number})
        overdue = sum(wake.overdue for wake in status.wakes)
        show(metrics.WAKES_RUNNING, {("false",): len(status.wakes) - overdue, ("true",): overdue})

    def _show_wrong(self, status: NodeStatus) -> None:
        faults: dict[tuple[str, ...], float] = {}
        for fault in status.faults:
            kind = FaultKind.of(fault.key)
            if kind is not None:
                faults[fault.key, name_of(kind), name_of(kind.urgency)] = 1
        show, loops = self._instruments.show, self._loops()
        show(metrics.FAULTS, faults)
        show(metrics.LOOP_SILENT, {(loop,): seconds for loop, seconds in loops.silent_s.items()})
        show(metrics.HEALTHY, {(): not any(problems(status, loops))})


def _info(text: str) -> dict[tuple[str, ...], float]:
    """A text may come from outside, with halves of characters that can't be written as UTF-8."""
    return {(text.encode("utf-8", "replace").decode(),): 1} if text else {}
