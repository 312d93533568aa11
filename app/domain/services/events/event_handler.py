"""Handles power-target events: reads all nodes that they name from the chain, at once (R1, R9).

Where each node costs a call, it reads a few nodes side by side. Each answer is passed on when it arrives, each
call fails by itself, and later events wait for those few calls only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

from app.domain.errors import ChainUnavailable, EventsUnavailable, PowerdError
from app.domain.events import Delivery, EventDeadLettered, EventsHandled, Malformed, OperationFailed
from app.domain.measurements import EventsPostponed
from app.domain.model import NodeId, Power, Powers
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.progress import EVENTS
from app.domain.services.context.trigger import Trigger
from app.domain.services.events.event_inbox import EventInbox
from app.domain.services.events.events_ahead import EventsAhead
from app.domain.services.waking.farm_directory import FarmDirectory
from app.domain.services.waking.wake_service import WakeService
from app.ports.power_events import PowerEvents

NOT_LOOKED_AT = ChainUnavailable("the chain was not read for it")
"""The error of each node until its look has succeeded: a bug that reads nothing must leave the event pending."""

DEAD_LETTERS_S = 1.0
"""How long dead letters are written before the inbox is looked at again."""


class EventHandler:
    """Acknowledges events after they were handled, never before."""

    def __init__(
        self,
        context: NodeContext,
        events: PowerEvents,
        farm: FarmDirectory,
        wakes: WakeService,
        own_trigger: Trigger,
        *,
        stale_after_s: float,
    ) -> None:
        self._own = context.node.node
        self._farm_id = context.node.farm
        self._clock = context.clock
        self._telemetry = context.telemetry
        self._progress = context.progress
        self._events = events
        self._farm = farm
        self._wakes = wakes
        self._own_trigger = own_trigger
        self._stale_after_s = stale_after_s
        self._one_by_one = farm.nodes_at_once is not None
        self._ahead = EventsAhead(context.clock, self._own)
        self.inbox = EventInbox(context, nodes_max=farm.nodes_at_once)
        """Deliveries that were read and not yet handled."""

    async def run(self) -> None:
        """Handle deliveries for ever. One that fails stays in the inbox, and is retried after a pause.

        Where the chain does not show the target of an event yet, the node is read again soon.
        """
        while True:
            self._progress.idle(EVENTS)
            due = await self.inbox.due(self._ahead.due_in_s)
            self._progress.made(EVENTS)
            await self.handle(due)
            if again := self._ahead.due()[: self._farm.nodes_at_once]:
                await self.look_at(dict.fromkeys(again, True))
                self._ahead.looked(again)

    async def handle(self, batch: Sequence[Delivery]) -> None:
        """Handle and acknowledge. A part that fails is postponed, and does not affect the others.

        Wakes come first: a slow write of a dead letter must not delay them.
        """
        fresh: dict[NodeId, bool] = {}
        targets: dict[NodeId, Power] = {}
        good: list[Delivery] = []
        broken: list[tuple[Delivery, str]] = []
        oldest_s = self._clock.now() - self._stale_after_s
        for delivery in batch:
            change = delivery.content
            if isinstance(change, Malformed):
                broken.append((delivery, change.reason))
                continue
            good.append(delivery)
            if change.farm == self._farm_id:
                fresh[change.node] = fresh.get(change.node, False) or delivery.published_at_s >= oldest_s
                targets[change.node] = change.target
        if good:
            self._ahead.came({node: target for node, target in targets.items() if fresh[node]})
            await self._handle_good(good, fresh)
        await self._put_aside(broken)

    async def _handle_good(self, good: Sequence[Delivery], fresh: Mapping[NodeId, bool]) -> None:
        failed = await self.look_at(fresh)
        handled = [delivery for delivery in good if delivery.content.node not in failed]
        self._ahead.looked(fresh)
        if handled and await self._acknowledge(handled):
            nodes = tuple(node for node in fresh if node not in failed)
            self._telemetry.record(EventsHandled(len(handled), nodes))
        if failed:
            self._postpone([delivery for delivery in good if delivery.content.node in failed], failed.values())

    async def look_at(self, fresh: Mapping[NodeId, bool]) -> dict[NodeId, PowerdError]:
        """Read these nodes now, side by side where each costs a call; returns the errors by node.

        ``fresh``: whether one of the events that name the node is fresh. Else the read is a look without an event.
        """
        failed: dict[NodeId, PowerdError] = dict.fromkeys(fresh, NOT_LOOKED_AT)
        if self._one_by_one:
            async with asyncio.TaskGroup() as looks:
                for node in fresh:
                    looks.create_task(self._look([node], fresh, failed), name="events: look")
        elif fresh:
            await self._look(fresh, fresh, failed)
        return failed

    async def _look(
        self, nodes: Collection[NodeId], fresh: Mapping[NodeId, bool], failed: dict[NodeId, PowerdError]
    ) -> None:
        """Read these nodes from the chain, and pass the results to the wake and reconcile tasks."""
        if self._own in nodes:
            self._own_trigger.pull("event")
        asked_at_s = self._clock.monotonic()
        try:
            alone = self._one_by_one and len(fresh) == 1 and self._own not in fresh
            peers, powers = await (self._ask_at_once if alone else self._ask_in_turn)(nodes)
        except PowerdError as error:
            # Its traceback holds `failed`: such cycles pile up in an outage until the garbage collector comes.
            failed.update(dict.fromkeys(nodes, error.with_traceback(None)))
            return
        finally:
            self._progress.made(EVENTS)
        self._ahead.read(nodes, powers)
        if hinted := {node: powers[node] for node in peers if fresh[node]}:
            self._wakes.on_event(hinted)
        if others := {node: powers[node] for node in peers if not fresh[node]}:
            self._wakes.on_look(others, asked_at_s=asked_at_s)
        for node in nodes:
            del failed[node]

    async def _ask_in_turn(self, nodes: Collection[NodeId]) -> tuple[Collection[NodeId], Powers]:
        """The peers among these nodes, then the power of those and of the own node."""
        peers = await self._farm.among([node for node in nodes if node != self._own])
        # The own node first: a gateway that answers one call after the other must not delay it by a peer.
        return peers, await self._farm.powers([*(node for node in nodes if node == self._own), *peers])

    async def _ask_at_once(self, nodes: Collection[NodeId]) -> tuple[Collection[NodeId], Powers]:
        """As `_ask_in_turn`, for one node where each question is a call: asks for its power while its record is read.

        For several nodes, calls would wait at a slow gateway until they time out.
        """
        asking = asyncio.create_task(self._farm.powers(nodes), name="events: power")
        try:
            peers = await self._farm.among(nodes)
            return peers, await asking if peers else {}
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    def _postpone(self, deliveries: Sequence[Delivery], reasons: Iterable[PowerdError]) -> None:
        retry_in_s = self.inbox.postpone(deliveries)
        self._telemetry.measure(EventsPostponed(len(deliveries)))
        reason = "; ".join(dict.fromkeys(map(str, reasons)))
        self._telemetry.record(OperationFailed("handling events", reason, retry_in_s))

    async def _acknowledge(self, handled: Sequence[Delivery]) -> bool:
        acknowledged = False
        try:
            await self._events.acknowledge(handled)
            acknowledged = True
        except EventsUnavailable as error:
            # They stay pending and are delivered again after the reconnect, which is harmless.
            self._telemetry.record(OperationFailed("acknowledging events", str(error), 0.0))
        self.inbox.done(handled)
        return acknowledged

    async def _put_aside(self, broken: Sequence[tuple[Delivery, str]]) -> None:
        """Write dead letters for a moment: the rest stays due, and good events that came meanwhile go first.

        Where one can't be written (a full server), the rest is postponed with it.
        """
        until_s = self._clock.monotonic() + DEAD_LETTERS_S
        for number, (delivery, reason) in enumerate(broken):
            self._progress.made(EVENTS)
            try:
                await self._events.dead_letter(delivery, reason)
            except EventsUnavailable as error:
                self._postpone([each for each, _ in broken[number:]], [error])
                return
            self.inbox.done([delivery])
            self._telemetry.record(EventDeadLettered(delivery.id, reason))
            if self._clock.monotonic() >= until_s:
                return
