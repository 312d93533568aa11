"""`powerd status` is answered as soon as it can be, and a fault says when it can't (R15)."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.domain.services.status_watch import LOOK_EVERY_S, SETTLES_S, StatusWatch
from app.domain.status import NodeStatus
from tests.rigs.simulated.status_server import SimulatedStatusServer
from tests.rigs.virtual_farm import context_of

pytestmark = pytest.mark.anyio


async def test_r15_a_place_that_can_not_be_used_is_a_fault_until_it_can(clock: VirtualClock) -> None:
    server, context = SimulatedStatusServer(), context_of(clock)
    server.unusable = "/run/powerd: Read-only file system"
    task = asyncio.ensure_future(StatusWatch(server, lambda: NodeStatus("1"), context).run())
    await clock.sleep(1)
    assert context.faults.status() == (), "a second powerd would have ended by then"
    await clock.sleep(SETTLES_S)
    (fault,) = context.faults.status()
    assert (fault.key, fault.urgency) == ("status-socket", "this week")
    assert "/run/powerd: Read-only file system" in fault.message
    assert "status.socket" in fault.remedy
    server.unusable = ""
    await clock.sleep(LOOK_EVERY_S)
    assert context.faults.status() == ()
    assert server.ask() == NodeStatus("1")
    server.take_away()
    await clock.sleep(LOOK_EVERY_S)
    assert server.ask() == NodeStatus("1")
    await clock.sleep(LOOK_EVERY_S)
    assert server.reachable()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert server.ask() is None
