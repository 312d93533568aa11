"""Handles power-target events: look at the chain now, for all nodes they name, in one read (R1, R9)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.domain.backoff import Backoff, Jitter
from app.domain.errors import EventsUnavailable, PowerdError
from app.domain.events import Delivery, EventDeadLettered, EventsHandled, Malformed, Setback
from app.domain.model import FarmId, HeadKind, NodeId
from app.domain.services.event_inbox import EventInbox
from app.domain.services.farm_directory import FarmDirectory
from app.domain.services.trigger import Trigger
from app.domain.services.wake import WakeService
from app.ports.chain import ChainReader
from app.ports.clock import Clock
from app.ports.power_events import PowerEvents
from app.ports.telemetry import Telemetry

RETRY = Backoff(1.0, 30.0)


class EventHandler:
    """Acknowledges after handling, never before."""

    def __init__(
        self,
        events: PowerEvents,
        inbox: EventInbox,
        chain: ChainReader,
        farm: FarmDirectory,
        wakes: WakeService,
        own: NodeId,
        farm_id: FarmId,
        own_trigger: Trigger,
        clock: Clock,
        telemetry: Telemetry,
        jitter: Jitter,
        *,
        stale_after_s: float = 600.0,
    ) -> None:
        self._events = events
        self._inbox = inbox
        self._chain = chain
        self._farm = farm
        self._wakes = wakes
        self._own = own
        self._farm_id = farm_id
        self._own_trigger = own_trigger
        self._clock = clock
        self._telemetry = telemetry
        self._jitter = jitter
        self._stale_after_s = stale_after_s

    async def run(self) -> None:
        """Handle what arrives; a failure leaves it waiting, and it is tried again with what came since."""
        failures = 0
        while True:
            batch = await self._inbox.waiting()
            try:
                await self.handle(batch)
            except PowerdError as error:
                failures += 1
                retry_in_s = RETRY.delay_s(failures, self._jitter)
                self._telemetry.happened(Setback("handling events", str(error), retry_in_s))
                await self._clock.sleep(retry_in_s)
            else:
                failures = 0

    async def handle(self, batch: Sequence[Delivery]) -> None:
        """Handle and acknowledge; each part may fail without harm to the others."""
        broken = [delivery for delivery in batch if isinstance(delivery.content, Malformed)]
        good = [delivery for delivery in batch if not isinstance(delivery.content, Malformed)]
        problem = await self._put_aside(broken)
        if good:
            await self._handle_good(good)
        if problem is not None:
            raise problem

    async def look_at(self, nodes: Collection[NodeId], *, hinted: bool) -> None:
        """Read the chain for these nodes now, and hand what follows to the wake and reconcile tasks."""
        if not nodes:
            return
        if self._own in nodes:
            self._own_trigger.pull("event")
        asked_at_s = self._clock.monotonic()
        peers = await self._farm.among([node for node in nodes if node != self._own])
        # The own node first: behind a gateway that answers one call after the other it waits for nobody.
        reading = await self._chain.powers([*(n for n in nodes if n == self._own), *peers], HeadKind.BEST)
        powers = {node: power for node, power in reading.powers.items() if node != self._own}
        if hinted:
            self._wakes.hint(powers)
        else:
            self._wakes.look(powers, asked_at_s=asked_at_s)

    async def _handle_good(self, good: Sequence[Delivery]) -> None:
        fresh: dict[NodeId, None] = {}
        old: dict[NodeId, None] = {}
        oldest_s = self._clock.now() - self._stale_after_s
        for delivery in good:
            change = delivery.content
            if not isinstance(change, Malformed) and change.farm == self._farm_id:
                (fresh if delivery.published_at_s >= oldest_s else old)[change.node] = None
        await self.look_at(fresh, hinted=True)
        await self.look_at([node for node in old if node not in fresh], hinted=False)
        await self._acknowledge(good)
        self._telemetry.happened(EventsHandled(len(good), tuple(fresh | old)))

    async def _acknowledge(self, handled: Sequence[Delivery]) -> None:
        try:
            await self._events.acknowledge(handled)
        except EventsUnavailable as error:
            # They stay pending and come again after the reconnect, which does no harm.
            self._telemetry.happened(Setback("acknowledging events", str(error), 0.0))
        self._inbox.done(handled)

    async def _put_aside(self, broken: Sequence[Delivery]) -> EventsUnavailable | None:
        """What could not be written (a full server) stays in the inbox; the first problem is returned."""
        problem = None
        for delivery in broken:
            reason = delivery.content.reason if isinstance(delivery.content, Malformed) else ""
            try:
                await self._events.dead_letter(delivery, reason)
            except EventsUnavailable as error:
                problem = problem or error
            else:
                self._inbox.done([delivery])
                self._telemetry.happened(EventDeadLettered(delivery.id, reason))
        return problem
