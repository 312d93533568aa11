"""Reports a fault when another node reads this node's event stream: each event then reaches only one of the two."""

from __future__ import annotations

from app.domain.errors import EventsUnavailable
from app.domain.events import OperationFailed
from app.domain.faults import FaultKind
from app.domain.services.context.node_context import NodeContext
from app.ports.power_events import PowerEvents

FAULT = FaultKind.EVENT_STREAM_SHARED.key()
EVERY_S = 30.0


class StreamSharing:
    """Checks every 30 s, between two reads of the stream. A check that fails does not stop the reading."""

    def __init__(self, context: NodeContext, events: PowerEvents) -> None:
        self._events = events
        self._own = f"node {context.node.node} of farm {context.node.farm}"
        self._faults = context.faults
        self._clock = context.clock
        self._telemetry = context.telemetry
        self._next_s = 0.0
        self._recorded = ""

    async def look(self) -> None:
        """Check, if a check is due."""
        now_s = self._clock.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + EVERY_S
        try:
            others = await self._events.others(self._own)
        except EventsUnavailable as error:
            self._record(str(error))
            return
        if others:
            names = ", ".join(others)
            self._faults.report(
                FAULT,
                f"{names} read this node's event stream too, so that each event reaches only one node, and the "
                "others obey and wake late; give every node a Redis database of its own (broker.url)",
            )
        else:
            self._faults.clear(FAULT)

    def _record(self, reason: str) -> None:
        if reason != self._recorded:
            self._recorded = reason
            self._telemetry.record(OperationFailed("looking for others that read the events", reason, EVERY_S))
