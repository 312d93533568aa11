"""Counts and times what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.adapters.prometheus import metrics
from app.adapters.prometheus.metrics import AWAKE, SCOPES, WAKE_OUTCOMES, name_of
from app.domain.events import (
    DomainEvent,
    EventDeadLettered,
    EventsHandled,
    OperationFailed,
    PowerOffOrdered,
    RebootOrdered,
    ShutdownAborted,
    UptimeSkipped,
    WakeEnded,
)
from app.domain.measurements import (
    ChainAnswered,
    EventsPostponed,
    ExtrinsicEnded,
    LookSucceeded,
    MagicPacketTried,
    Measurement,
)
from app.ports.clock import Clock

if TYPE_CHECKING:
    from app.adapters.prometheus.instruments import Instruments


class PrometheusTelemetry:
    """`Telemetry` into the instruments."""

    def __init__(self, instruments: Instruments, clock: Clock) -> None:
        self._instruments = instruments
        self._clock = clock
        self._reconciled: dict[tuple[str, ...], float] = {}

    def record(self, event: DomainEvent) -> None:
        count = self._instruments.count
        match event:
            case EventsHandled(deliveries):
                count(metrics.EVENTS, "handled", by=deliveries)
                self._instruments.show(metrics.LAST_EVENT, {(): self._clock.now()})
            case EventDeadLettered():
                count(metrics.EVENTS, "dead")
            case WakeEnded(_, _, outcome, took_s):
                count(metrics.WAKES, WAKE_OUTCOMES[outcome])
                if WAKE_OUTCOMES[outcome] == AWAKE:
                    self._instruments.observe(metrics.WAKE_DURATION, took_s)
            case PowerOffOrdered(forced) | RebootOrdered(forced):
                order = "power-off" if isinstance(event, PowerOffOrdered) else "reboot"
                count(metrics.POWER_ORDERS, order, "true" if forced else "false")
            case ShutdownAborted(step):
                count(metrics.SHUTDOWNS_ABORTED, step)
            case UptimeSkipped():
                count(metrics.REPORTS_SKIPPED)
            case OperationFailed(doing):
                count(metrics.FAILURES, doing)
            case _:
                return

    def measure(self, measurement: Measurement) -> None:
        instruments = self._instruments
        match measurement:
            case MagicPacketTried(sent):
                instruments.count(metrics.MAGIC_PACKETS, "sent" if sent else "failed")
            case ExtrinsicEnded(call, fate):
                instruments.count(metrics.EXTRINSICS, call.value, name_of(fate))
            case EventsPostponed(deliveries):
                instruments.count(metrics.EVENTS, "retried", by=deliveries)
            case ChainAnswered(endpoint, took_s):
                instruments.observe(metrics.CHAIN_LATENCY, took_s, endpoint)
            case LookSucceeded(what):
                self._reconciled[(SCOPES[what],)] = self._clock.now()
                instruments.show(metrics.LAST_RECONCILE, self._reconciled)
