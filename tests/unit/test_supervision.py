"""What the service manager hears, and when a daemon counts as hung."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.host_power import Obedience
from app.adapters.simulated.identity import SimulatedIdentity
from app.domain.errors import LoopStuck
from app.domain.events import PowerOffOrdered, Reconciled
from app.domain.model import FarmId, NodeId, NodeIdentity, Power, TwinId
from app.domain.services.context.progress import PATIENCE_S, Progress
from app.domain.services.identification import Identification
from app.domain.services.supervision import EVERY_S_MAX, START_S, Supervision
from tests.rigs.simulated.service_manager import SimulatedServiceManager
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode, context_of

pytestmark = pytest.mark.anyio

HOUR_S = 3600.0


@asynccontextmanager
async def supervised(
    clock: VirtualClock, manager: SimulatedServiceManager, progress: Progress
) -> AsyncIterator[Supervision]:
    supervision = Supervision(manager, progress, clock, lambda: "waiting")
    task = asyncio.ensure_future(supervision.run())
    yield supervision
    task.cancel()


async def test_a_start_of_hours_is_prolonged_again_and_again(clock: VirtualClock) -> None:
    manager = SimulatedServiceManager()
    async with supervised(clock, manager, Progress(clock)):
        await clock.sleep(5 * HOUR_S)
    assert {name for name, _ in manager.heard} == {"starting"}
    assert len(manager.heard) >= 5 * HOUR_S / EVERY_S_MAX
    assert EVERY_S_MAX * 3 < START_S == manager.start_within_s


async def test_once_ready_it_says_so_at_once_and_what_it_does(clock: VirtualClock) -> None:
    manager = SimulatedServiceManager()
    async with supervised(clock, manager, Progress(clock)) as supervision:
        await clock.sleep(1)
        supervision.ready(lambda: "up, as its target says")
        assert manager.heard[-1] == ("running", "up, as its target says")
        await clock.sleep(EVERY_S_MAX)
    assert manager.heard[-1] == ("running", "up, as its target says")


@pytest.mark.parametrize("watchdog_s", [2.0, 20.0, 180.0])
async def test_a_watchdog_is_fed_in_time_even_if_two_signs_of_life_get_lost(
    clock: VirtualClock, watchdog_s: float
) -> None:
    manager = SimulatedServiceManager(watchdog_s)
    async with supervised(clock, manager, Progress(clock)) as supervision:
        supervision.ready(lambda: "up")
        await clock.sleep(100 * watchdog_s)
    assert len(manager.heard) >= 3 * 100


async def test_a_loop_that_is_stuck_ends_the_daemon_and_is_named(clock: VirtualClock) -> None:
    manager, progress = SimulatedServiceManager(), Progress(clock, patience_s=60)
    supervision = Supervision(manager, progress, clock, lambda: "up")
    task = asyncio.ensure_future(supervision.run())
    progress.made("itself", waits_s=300)
    await clock.sleep(359)
    assert not task.done()
    with pytest.raises(LoopStuck, match=r"itself has made no progress for \d+ s") as caught:
        await task
    supervision.give_up(caught.value)
    assert manager.heard[-1] == ("stuck", str(caught.value))


async def test_a_process_that_was_stopped_for_an_hour_goes_on_and_a_loop_that_hangs_then_is_found(
    clock: VirtualClock,
) -> None:
    manager, progress = SimulatedServiceManager(), Progress(clock)
    progress.made("itself", waits_s=300)
    progress.idle("the farm")
    stopped = StoppedFor(clock, HOUR_S)
    task = asyncio.ensure_future(Supervision(manager, progress, stopped, lambda: "up").run())
    await clock.sleep(HOUR_S + 300 + PATIENCE_S - 2 * EVERY_S_MAX)
    assert not task.done()
    await clock.sleep(4 * EVERY_S_MAX)
    with pytest.raises(LoopStuck, match=r"itself has made no progress"):
        await task


class StoppedFor:
    """A clock whose first sleep ends so much later."""

    def __init__(self, clock: VirtualClock, seconds: float) -> None:
        self._clock = clock
        self._stopped_s = seconds
        self.now, self.monotonic, self.timeout = clock.now, clock.monotonic, clock.timeout
        self.call_later = clock.call_later

    async def sleep(self, seconds: float) -> None:
        late_s, self._stopped_s = self._stopped_s, 0.0
        await self._clock.sleep(seconds + late_s)


async def hangs(*_: object) -> object:
    return await asyncio.Event().wait()


async def never_stuck(farm: VirtualFarm, node: VirtualNode, for_s: float) -> None:
    progress = node.container.progress()
    for _ in range(int(for_s / 30)):
        await farm.clock.sleep(30)
        assert progress.stuck == ""


class TestTheDaemon:
    """Long waits that are healthy, and one that is not."""

    async def test_hours_without_anything_to_do(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            await never_stuck(farm, node, 2 * HOUR_S)

    async def test_looks_far_apart(self, farm: VirtualFarm) -> None:
        async with farm.running(1, settings={"power_management.reconcile_interval_s": 3 * HOUR_S}) as node:
            await never_stuck(farm, node, 8 * HOUR_S)

    async def test_a_first_report_that_is_waited_for(self, farm: VirtualFarm) -> None:
        async with farm.running(
            1,
            before=lambda node: node.chain.refuse_uptime(times=10_000),
            settings={"uptime.first_report_wait_s": HOUR_S},
        ) as node:
            await never_stuck(farm, node, 2 * HOUR_S)

    async def test_a_chain_that_is_away(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            node.chain.unavailable = True
            await never_stuck(farm, node, 6 * HOUR_S)

    async def test_a_shutdown_of_an_hour(self, farm: VirtualFarm) -> None:
        """A host that is stopping gets 15 minutes an order, and there are three."""
        async with farm.running(1) as node:
            node.host_power.mode = node.host_power.force_mode = Obedience.IGNORES
            node.host_power.is_stopping = True
            await farm.set_target(1, Power.DOWN)
            await never_stuck(farm, node, HOUR_S)
            assert len(node.recorded(PowerOffOrdered)) >= 3

    async def test_a_reconcile_loop_that_hangs_is_found(
        self, farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with farm.running(1) as node:
            await farm.until(lambda: bool(node.recorded(Reconciled)))
            monkeypatch.setattr(node.holds, "active", hangs)
            await farm.clock.sleep(330 + PATIENCE_S + 10)
            assert "itself" in node.container.progress().stuck


async def test_a_start_that_hangs_is_found_and_one_that_waits_is_not(clock: VirtualClock) -> None:
    context = context_of(clock)
    waiting = SimulatedIdentity(NodeIdentity(NodeId(1), FarmId(1), TwinId(2)), fail_times=300)
    task = asyncio.ensure_future(Identification(waiting, context).run())
    for _ in range(200):
        await clock.sleep(60)
        assert context.progress.stuck == ""
    assert (await task).node == 1
    await clock.sleep(HOUR_S)
    assert context.progress.stuck == "", "it is over"
    waiting.identify = hangs  # type: ignore[method-assign, assignment]
    task = asyncio.ensure_future(Identification(waiting, context).run())
    await clock.sleep(PATIENCE_S + 60)
    assert "this node's ids" in context.progress.stuck
    task.cancel()
