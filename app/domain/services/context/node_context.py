"""What nearly every service of a node needs."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.backoff import Jitter
from app.domain.model import NodeIdentity
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.context.progress import Progress
from app.ports.clock import Clock
from app.ports.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class NodeContext:
    """Who the node is, its time, its chance, and where it shows what happens, what is wrong, and that it goes on."""

    node: NodeIdentity
    clock: Clock
    telemetry: Telemetry
    faults: FaultBoard
    jitter: Jitter
    progress: Progress
