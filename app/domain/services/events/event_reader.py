"""Reads the event stream into the inbox, reopens it after every failure, and reports other readers of the stream."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.backoff import Backoff
from app.domain.errors import EventsUnavailable
from app.domain.events import OperationFailed
from app.domain.faults import FaultKind
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.progress import STREAM
from app.domain.services.context.retry import Work
from app.domain.services.context.trigger import Trigger
from app.domain.services.events.event_inbox import EventInbox
from app.ports.power_events import PowerEvents

READING = Work(
    "reading events",
    FaultKind.EVENTS.key(),
    "until then this node looks at the chain every few minutes, and is slow to obey and to wake others; docs/redis.md "
    "says which rights powerd needs in Redis",
    Backoff(0.2, 30.0),
    once=True,
)
SHARED = FaultKind.EVENT_STREAM_SHARED.key()
SHARING_EVERY_S = 30.0


class EventReader:
    """Opens the stream again, after growing pauses, whenever a read fails.

    Each trigger of ``resumed`` is pulled at the first successful read after the start and after each outage: the chain
    shows what was missed. Opening the stream alone is no proof that it can be read.
    """

    def __init__(
        self,
        context: NodeContext,
        events: PowerEvents,
        inbox: EventInbox,
        resumed: Sequence[Trigger],
    ) -> None:
        self._events = events
        self._progress = context.progress
        self._inbox = inbox
        self._retry = context.retry(READING)
        self._sharing = StreamSharing(context, events)
        self._resumed = resumed
        self._interrupted = True

    async def run(self) -> None:
        while True:
            self._progress.made(STREAM, waits_s=READING.backoff.delay_s_max)
            try:
                await self._events.open()
                await self.recv()
            except EventsUnavailable as error:
                self._interrupted = True
                await self._retry.pause(str(error))

    async def recv(self) -> None:
        """Pass deliveries from the stream to the inbox; ends only with an error or by cancellation."""
        while True:
            self._progress.made(STREAM)
            batch = await self._events.receive()
            if self._interrupted:
                self._interrupted = False
                self._retry.succeeded()
                for trigger in self._resumed:
                    trigger.pull("events reconnected")
            if batch:
                self._progress.idle(STREAM)  # a full inbox is emptied only when the chain answers again
                await self._inbox.put(batch)
                self._progress.made(STREAM)
            await self._sharing.look()


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
        self._next_s = now_s + SHARING_EVERY_S
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
            self._telemetry.record(OperationFailed("looking for other readers of the events", reason, SHARING_EVERY_S))
