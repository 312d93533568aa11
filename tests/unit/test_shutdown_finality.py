"""R5 and R6: the power-off waits until the Down is final, or has stood for a while behind a gateway."""

from __future__ import annotations

import pytest

from app.domain.events import ShutdownAborted
from app.domain.model import Power
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio


async def test_the_power_off_waits_until_our_down_is_final(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: farm.state(1) is Power.DOWN)
        farm.ledger.hold_finality = True
        await farm.clock.sleep(60)
        assert not node.host_power.orders
        farm.ledger.hold_finality = False
        await farm.until(lambda: node.dark, within_s=60)


async def test_finality_that_never_comes_sets_the_state_up_again(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: farm.state(1) is Power.DOWN)
        farm.ledger.hold_finality = True
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=200)
        await farm.until(lambda: farm.state(1) is Power.UP, within_s=60)
    assert not node.host_power.orders


async def test_a_reorganisation_that_takes_our_down_back_aborts_and_it_is_tried_again(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in node.steps, within_s=60, every_s=0.01)
        farm.ledger.reorganise(1, lose=True)
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=120)
        assert "reorganisation" in node.recorded(ShutdownAborted)[0].reason
        assert not node.host_power.orders
        await farm.until(lambda: node.dark, within_s=200)


async def test_where_finality_is_not_judged_by_age_the_deadline_still_ends_the_wait(farm: VirtualFarm) -> None:
    async with farm.running(1, settings={"chain.finalized_head_age_s_max": 0.0}) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in node.steps, within_s=60)
        farm.ledger.hold_finality = True
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=130)
        assert "was not final after 12" in node.recorded(ShutdownAborted)[0].reason
        await farm.until(lambda: farm.state(1) is Power.UP, within_s=30)


async def test_a_chain_that_is_away_for_a_while_does_not_end_the_wait_for_finality(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "final" in node.steps, within_s=60)
        node.chain.unavailable = True
        await farm.clock.sleep(20)
        node.chain.unavailable = False
        await farm.until(lambda: node.dark, within_s=60)
        assert not node.recorded(ShutdownAborted)


class TestAGatewayWithoutFinality:
    async def test_the_down_has_to_be_there_still_half_a_minute_later(self, farm: VirtualFarm) -> None:
        async with farm.running(1, before=no_finality) as node:
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: "final" in node.steps, within_s=60)
            said_at = farm.clock.monotonic()
            await farm.until(lambda: node.dark, within_s=120)
            assert farm.clock.monotonic() - said_at >= 30

    async def test_a_down_that_is_gone_at_the_last_look_aborts(self, farm: VirtualFarm) -> None:
        async with farm.running(1, before=no_finality) as node:
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: "uptime" in node.steps, within_s=90, every_s=0.01)
            farm.want_down(1)
            await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=60)
            assert "not on the chain any more" in node.recorded(ShutdownAborted)[0].reason
            assert not node.host_power.orders

    async def test_a_gateway_without_heads_is_enough(self, farm: VirtualFarm) -> None:
        def bare(node: VirtualNode) -> None:
            no_finality(node)
            node.chain.has_heads = False

        farm.put_to_sleep(1)
        async with farm.running(1, before=bare) as node:
            await farm.until(lambda: node.dark, within_s=120)


def no_finality(node: VirtualNode) -> None:
    node.chain.has_finality = False
