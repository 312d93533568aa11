"""R12: an ordered stop ends within 5 s, and leaves nothing untrue on the chain."""

from __future__ import annotations

import pytest

from app.adapters.simulated.host_power import Obedience
from app.domain.events import OperationFailed
from app.domain.model import Power
from tests.rigs.virtual_farm import VirtualFarm

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("step", ["say down", "final", "uptime"])
async def test_in_the_middle_of_a_shutdown_up_is_said_without_waiting(farm: VirtualFarm, step: str) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: step in node.steps, within_s=120, every_s=0.001)
        asked_at = farm.clock.monotonic()
        await node.stop()
        assert farm.clock.monotonic() - asked_at < 5
        assert not node.host_power.orders
        await farm.clock.sleep(30)
        assert farm.state(1) is Power.UP


async def test_a_down_that_landed_since_the_shutdown_began_is_taken_back_too(farm: VirtualFarm) -> None:
    """A process that was killed had sent it."""
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "arm" in node.steps, within_s=120, every_s=0.001)
        farm.put_to_sleep(1)
        farm.finalize()
        await farm.until(lambda: "uptime" in node.steps, within_s=120, every_s=0.001)
        await node.stop()
        await farm.clock.sleep(30)
        assert farm.state(1) is Power.UP


async def test_a_chain_that_hangs_does_not_hold_up_the_stop(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in node.steps, within_s=120)
        node.chain.hang_everything = True
        asked_at = farm.clock.monotonic()
        await node.stop()
        assert farm.clock.monotonic() - asked_at < 5


async def test_a_chain_that_is_away_does_not_hold_up_the_stop(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in node.steps, within_s=120)
        node.chain.unavailable = True
        await node.stop()
        assert "saying Up before the end" in [failed.doing for failed in node.recorded(OperationFailed)]


async def test_after_the_power_off_order_nothing_is_written(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.host_power.mode = Obedience.IGNORES
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.host_power.orders), within_s=120)
        await node.stop()
        await farm.clock.sleep(60)
        assert farm.state(1) is Power.DOWN


@pytest.mark.parametrize(
    ("stopping", "unknown", "state"),
    [(False, False, Power.UP), (True, False, Power.DOWN), (False, True, Power.DOWN)],
    ids=["not taken", "taken", "unknown"],
)
async def test_while_the_power_off_order_is_given_the_host_says_whether_it_took_it(
    farm: VirtualFarm, stopping: bool, unknown: bool, state: Power
) -> None:
    async with farm.running(1) as node:
        node.host_power.mode = Obedience.HANGS
        node.host_power.is_stopping = stopping
        node.host_power.stopping_unknown = unknown
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.host_power.orders), within_s=120, every_s=0.001)
        asked_at = farm.clock.monotonic()
        await node.stop()
        assert farm.clock.monotonic() - asked_at < 5
        await farm.clock.sleep(60)
        assert farm.state(1) is state


async def test_events_not_handled_stay_pending(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.chain.unavailable = True
        await farm.set_target(2, Power.UP)
        await farm.clock.sleep(5)
        await node.stop()
        assert len(node.stream.pending) == 1
