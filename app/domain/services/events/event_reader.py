"""Reads the event stream into the inbox, and opens it again after every failure."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.backoff import Backoff
from app.domain.errors import EventsUnavailable
from app.domain.faults import FaultKind
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.progress import STREAM
from app.domain.services.context.retry import Work
from app.domain.services.context.trigger import Trigger
from app.domain.services.events.event_inbox import EventInbox
from app.domain.services.events.stream_sharing import StreamSharing
from app.ports.power_events import PowerEvents

READING = Work(
    "reading events",
    FaultKind.EVENTS.key(),
    "until then this node looks at the chain every few minutes, and is slow to obey and to wake others; docs/redis.md "
    "says which rights powerd needs in Redis",
    Backoff(0.2, 30.0),
    once=True,
)


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
