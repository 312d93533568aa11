"""Looks for other readers of this node's event stream."""

from __future__ import annotations

from app.domain.errors import EventsUnavailable
from app.domain.events import OperationFailed
from app.domain.faults import FaultKind
from app.domain.services.context.node_context import NodeContext
from app.ports.power_events import PowerEvents

SHARED = FaultKind.EVENT_STREAM_SHARED.key()
EVERY_S = 30.0


class StreamSharing:
    """Reports a fault while another node reads this node's stream, so that each event reaches only one of the two."""

    def __init__(self, context: NodeContext, events: PowerEvents) -> None:
        self._events = events
        self._own = f"node {context.node.node} of farm {context.node.farm}"
        self._faults = context.faults
        self._clock = context.clock
        self._telemetry = context.telemetry
        self._next_s = 0.0
        self._recorded = ""

    async def look(self) -> None:
        """Look for other readers, every 30 s; a look that fails does not stop the reading."""
        now_s = self._clock.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + EVERY_S
        try:
            others = await self._events.others(self._own)
        except EventsUnavailable as error:
            self._record(str(error))
            return
        if self._own in others:
            self._faults.report(
                SHARED,
                f"a second powerd of {self._own} reads this node's event stream: each event reaches only one of them, "
                "and both report uptime and say Up or Down for the node; stop the one that must not run, here or on a "
                "machine that has a copy of this node's key",
            )
        elif others:
            names = ", ".join(others)
            self._faults.report(
                SHARED,
                f"this node's event stream has other readers ({names}), so that each event reaches only one of them, "
                "and the others obey and wake late; give every node a Redis database of its own (broker.url)",
            )
        else:
            self._faults.clear(SHARED)

    def _record(self, reason: str) -> None:
        if reason != self._recorded:
            self._recorded = reason
            self._telemetry.record(OperationFailed("looking for other readers of the events", reason, EVERY_S))
