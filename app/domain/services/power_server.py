"""Runs the daemon's loops: they keep this node's power in step with the chain, and wake its peers.

The specification names `PowerServer`'s methods, so they are here, also where only tests call them. Other services do
the work: `EventReader` and `EventHandler` for the events, `OwnNode` for the own node, `FarmLook` and `WakeService` for
the farm.
"""

from __future__ import annotations

import asyncio

from app.domain.commands import PowerCommand
from app.domain.events import PowerTargetChanged
from app.domain.model import NodeId, Power
from app.domain.rules.power import Observation
from app.domain.services.context.progress import ITSELF
from app.domain.services.events.event_handler import EventHandler
from app.domain.services.events.event_reader import EventReader
from app.domain.services.own_power.own_node import OwnNode
from app.domain.services.reporting.uptime import Uptime
from app.domain.services.waking.farm_look import FarmLook
from app.domain.services.waking.wake_service import WakeService


class PowerServer:
    """Runs until cancelled. A neighbour that does not answer never ends it."""

    def __init__(
        self,
        reader: EventReader,
        handler: EventHandler,
        own: OwnNode,
        farm: FarmLook,
        uptime: Uptime,
        wakes: WakeService,
    ) -> None:
        self._reader = reader
        self._handler = handler
        self._farm = farm
        self._uptime = uptime
        self._wakes = wakes
        self.own = own

    @property
    def staying_up(self) -> str:
        """Why the node stays up although its target is Down or unknown; empty when it does not."""
        return "" if self.own.objection is None else self.own.objection.reason

    async def start(self) -> None:
        """Run everything; returns only by cancellation, or by a bug in one of the tasks."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._uptime.run(), name="uptime")
            group.create_task(self._wakes.run(), name="wakes")
            group.create_task(self._handler.run(), name="event handler")
            group.create_task(self.events(), name="events")
            group.create_task(self._farm.keep(), name="reconcile farm")
            group.create_task(self._keep_self(), name="reconcile self")

    async def event(self, event: PowerTargetChanged) -> None:
        """Handle one event: read its node from the chain now, and act on the result."""
        for error in (await self._handler.look_at({event.node: True})).values():
            raise error

    async def events(self) -> None:
        """Read the event stream; after a failure, open it again with backoff."""
        await self._reader.run()

    async def recv(self) -> None:
        """Pass deliveries from the stream to the event handler; ends only with an error or by cancellation."""
        await self._reader.recv()

    def power_up(self, node: NodeId, reason: str) -> None:
        """Wake a node of the farm by Wake-on-LAN, until the chain shows its state Up or its target Down."""
        self._wakes.request(node, reason)

    async def set_node_power_state(self, *, up: bool) -> None:
        """Report Up or Down, unless the chain has that state already; Up when power management is not enabled (R3)."""
        await self.own.state.set(Power.UP if up else Power.DOWN)

    async def sync_self(self) -> PowerCommand:
        """Compare target and state of this node, and act on the difference (R4); returns the decision."""
        return await self.own.sync()

    async def shutdown(self, seen: Observation) -> None:
        """Power the node off, step by step (R5); returns only if the shutdown was aborted."""
        await self.own.shutdown.run(seen)

    async def sync_farm(self) -> None:
        """Look at all peers, and wake those whose target is Up and whose state is Down."""
        await self._farm.look()

    async def _keep_self(self) -> None:
        """The first uptime report comes before the first look; a chain that takes none delays it only briefly (R8)."""
        await self.own.recover()
        await self._uptime.first_answer()
        await self.own.loop.keep(ITSELF, self.own.sync)
