"""The parts that nearly every service needs."""

from __future__ import annotations

from app.domain.backoff import Jitter
from app.domain.model import NodeIdentity
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.context.progress import Progress
from app.domain.services.context.retry import Retry, Work
from app.domain.values import value
from app.ports.clock import Clock
from app.ports.telemetry import Telemetry


@value
class ServiceContext:
    """Clock and jitter, and the sinks for events, faults and progress."""

    clock: Clock
    telemetry: Telemetry
    faults: FaultBoard
    jitter: Jitter
    progress: Progress

    def retry(self, work: Work) -> Retry:
        return Retry(work, self.clock, self.telemetry, self.jitter, self.faults)


@value
class NodeContext(ServiceContext):
    """A `ServiceContext` once it is known which ``node`` this is."""

    node: NodeIdentity
