"""Reads the event stream into the inbox, whatever happens to it."""

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
    "says what Redis has to allow",
    Backoff(0.2, 30.0),
    once=True,
)


class EventReader:
    """Begins anew with ever longer pauses whenever reading fails.

    Each trigger of ``resumed`` is pulled at the first read that succeeds after the start, and after every outage: what
    was missed stands on the chain. To open the stream proves nothing.
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
        """Read until cancelled."""
        while True:
            self._progress.made(STREAM, waits_s=READING.backoff.delay_s_max)
            try:
                await self._events.open()
                await self.recv()
            except EventsUnavailable as error:
                self._interrupted = True
                await self._retry.pause(str(error))

    async def recv(self) -> None:
        """Put what the stream delivers before the event handler; ends only by an error or cancellation."""
        while True:
            self._progress.made(STREAM)
            batch = await self._events.receive()
            if self._interrupted:
                self._interrupted = False
                self._retry.succeeded()
                for trigger in self._resumed:
                    trigger.pull("events reconnected")
            if batch:
                self._progress.rests(STREAM)  # a full inbox empties when the chain is back
                await self._inbox.put(batch)
                self._progress.made(STREAM)
            await self._sharing.look()
