"""R5: a host that does not power off is asked again, then by force; then the state is Up again."""

from __future__ import annotations

import pytest

from app.adapters.simulated.host_power import Obedience, Order
from app.domain.model import Power
from tests.rigs.virtual_farm import VirtualFarm

pytestmark = pytest.mark.anyio


class TestTheHostDoesNotObey:
    async def test_an_order_that_hangs_on_a_stopping_system_counts_as_accepted(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            node.host_power.mode = Obedience.HANGS
            node.host_power.is_stopping = True
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: bool(node.host_power.orders), within_s=60)
            await farm.clock.sleep(600)
            assert node.host_power.orders == [Order.POWER_OFF]
            assert farm.state(1) is Power.DOWN

    async def test_a_system_that_does_not_say_whether_it_is_stopping_is_not_waited_for(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            node.host_power.mode = Obedience.IGNORES
            node.host_power.stopping_unknown = True
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: len(node.host_power.orders) == 3, within_s=600)

    async def test_a_refused_power_off_is_asked_again_then_forced_then_taken_back(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            node.host_power.mode = node.host_power.force_mode = Obedience.REFUSES
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: len(node.host_power.orders) == 3, within_s=300)
            await farm.until(lambda: farm.state(1) is Power.UP, within_s=60)
        assert node.host_power.orders == [Order.POWER_OFF, Order.POWER_OFF, Order.FORCE_POWER_OFF]
        assert any(fault.key == "power-off" for fault in node.faults.shown)

    async def test_it_is_tried_again_later_not_at_once(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            node.host_power.mode = node.host_power.force_mode = Obedience.REFUSES
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: len(node.host_power.orders) == 3, within_s=300)
            failed_at = farm.clock.monotonic()
            node.host_power.mode = Obedience.OBEYS
            await farm.until(lambda: node.dark, within_s=1200)
            assert farm.clock.monotonic() - failed_at >= 600

    async def test_an_order_without_effect_is_forced_after_the_deadline(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            node.host_power.mode = Obedience.IGNORES
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: node.dark, within_s=600)
        orders = node.host_power.given
        assert [given.order for given in orders] == [Order.POWER_OFF, Order.POWER_OFF, Order.FORCE_POWER_OFF]
        assert orders[1].at_s - orders[0].at_s >= 150

    async def test_a_system_that_says_stopping_is_given_time(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            node.host_power.mode = Obedience.IGNORES
            node.host_power.is_stopping = True
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: len(node.host_power.orders) == 2, within_s=1200)
        assert node.host_power.given[1].at_s - node.host_power.given[0].at_s >= 900

    async def test_a_target_that_turns_up_before_the_second_order_stops_it(self, farm: VirtualFarm) -> None:
        async with farm.running(1) as node:
            node.host_power.mode = Obedience.IGNORES
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: bool(node.host_power.orders), within_s=120)
            await farm.set_target(1, Power.UP)
            await farm.until(lambda: farm.state(1) is Power.UP, within_s=300)
            await farm.clock.sleep(600)
        assert node.host_power.orders.count(Order.POWER_OFF) == 1
