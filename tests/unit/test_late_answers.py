"""What did not answer in time is asked again soon, not a round (300 s) later."""

from __future__ import annotations

import pytest

from app.domain.model import Power
from tests.rigs.virtual_farm import VirtualFarm

pytestmark = pytest.mark.anyio

SHUTDOWN_S = 60
"""What a shutdown takes here at most."""

SOON_S = 35


async def test_a_card_that_answers_late_is_asked_again_within_half_a_minute(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.nic.silent = True
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(20)
        assert "did not answer in time" in node.fault("power-management").message
        node.nic.silent = False
        await farm.until(lambda: node.dark, within_s=SOON_S + SHUTDOWN_S)


async def test_a_host_that_answers_late_is_asked_again_within_half_a_minute(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.host_power.late = True
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(20)
        assert "did not answer in time" in node.fault("power-management").message
        node.host_power.late = False
        await farm.until(lambda: node.dark, within_s=SOON_S + SHUTDOWN_S)


async def test_a_card_that_is_missing_is_looked_for_at_the_next_round_as_before(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.nic.missing = True
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(20)
        node.nic.missing = False
        await farm.clock.sleep(SOON_S + SHUTDOWN_S)
        assert not node.steps


async def test_one_slow_answer_about_holds_costs_half_a_minute(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        node.holds.unreadable = True
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(20)
        assert not node.steps
        node.holds.unreadable = False
        await farm.until(lambda: node.dark, within_s=SOON_S + SHUTDOWN_S)
