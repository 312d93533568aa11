"""Defects in how events are read and handled, and in the looks that make up for lost ones."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from app.domain.errors import EventsUnavailable
from app.domain.events import Delivery, Malformed
from app.domain.model import Power
from app.domain.services.node_services import NodeServices
from app.entrypoints.wiring.node_services import Ports
from app.entrypoints.wiring.policies import Policies
from tests.simulation.defects.defect import NEVER_S, Defect, Wrapped, plant


class AcknowledgesFirst(Wrapped):
    async def receive(self) -> Sequence[Delivery]:
        batch: Sequence[Delivery] = await self._inner.receive()
        if batch:
            await self._inner.acknowledge(batch)
        return batch

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Done already."""


def _believes_events(services: NodeServices, ports: Ports) -> None:
    handler: Any = services.server._handler
    handle = handler.handle

    async def believing(batch: Sequence[Delivery]) -> None:
        for delivery in batch:
            change = delivery.content
            if not isinstance(change, Malformed) and (change.node, change.target) == (handler._own, Power.DOWN):
                await ports.host_power.power_off()
        await handle(batch)

    plant(handler, "handle", believing)


def _restarts_on_a_bad_event(services: NodeServices, ports: Ports) -> None:
    handler: Any = services.server._handler
    handle = handler.handle

    async def restarting(batch: Sequence[Delivery]) -> None:
        if any(isinstance(delivery.content, Malformed) for delivery in batch):
            await ports.events.acknowledge(batch)
            handler.inbox.done(batch)
            await ports.clock.sleep(60)
        else:
            await handle(batch)

    plant(handler, "handle", restarting)


def _looks_at_nothing(services: NodeServices, ports: Ports) -> None:
    handler: Any = services.server._handler

    async def nothing(*_: object) -> None:
        """The chain is not read."""

    plant(handler, "_look", nothing)


def _never_reconnects(services: NodeServices, ports: Ports) -> None:
    server: Any = services.server

    async def once() -> None:
        await ports.events.open()
        try:
            await server.recv()
        except EventsUnavailable:
            await asyncio.Event().wait()

    plant(server, "events", once)


def _no_resync(policies: Policies) -> Policies:
    never = dataclasses.replace(policies.reconcile, interval_s=NEVER_S)
    return dataclasses.replace(policies, reconcile=never, farm_reconcile=never)


def _resyncs_only_once(services: NodeServices, ports: Ports) -> None:
    """Not even after a reconnect."""
    for trigger in (services.own_trigger, services.farm_trigger):
        any_trigger: Any = trigger
        plant(any_trigger, "pull", _only_events(trigger.pull))


def _only_events(pull: Callable[[str], None]) -> Callable[[str], None]:
    return lambda reason: pull(reason) if reason == "event" else None


EVENTS: dict[str, Defect] = {
    "acknowledges before handling": Defect(
        "events are acknowledged before they are handled",
        ports=lambda ports: dataclasses.replace(ports, events=AcknowledgesFirst(ports.events)),
    ),
    "powers off on a replayed old event": Defect(
        "the daemon believes the event, not the chain", services=_believes_events
    ),
    "one bad event restarts the loop": Defect(
        "a malformed entry ends the loop, and what came with it is lost", services=_restarts_on_a_bad_event
    ),
    "looks at nothing": Defect("the chain is not read for an event", services=_looks_at_nothing),
    "no resync on a clock": Defect(
        "the chain is looked at after events only", policies=_no_resync, services=_resyncs_only_once
    ),
    "never reconnects": Defect("a broken connection to the bus is never made again", services=_never_reconnects),
}
