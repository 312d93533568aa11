"""R5 and R13: a Down from before: of an earlier boot, of the last process of this boot, or of unknown fate."""

from __future__ import annotations

import pytest

from app.domain.events import PowerStateSet, ShutdownAborted, UptimeReported
from app.domain.model import Power
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio


class TestAlreadyDownOnChain:
    """The machine was booted by hand while its target is Down."""

    @pytest.mark.parametrize("final", [True, False])
    async def test_r13_a_down_of_before_the_boot_is_said_again(self, farm: VirtualFarm, final: bool) -> None:
        """The boot may have been asked for, and have closed the window: only a new Down opens the next one."""
        farm.want_down(1)
        farm.finalize()
        farm.put_to_sleep(1)
        if final:
            farm.finalize()
        async with farm.running(1) as node:
            await farm.until(lambda: node.dark, within_s=120)
            assert [told.power for told in node.recorded(PowerStateSet)] == [Power.UP, Power.DOWN]
        assert farm.state(1) is Power.DOWN

    async def test_stopping_the_daemon_says_up(self, farm: VirtualFarm) -> None:
        farm.put_to_sleep(1)
        farm.finalize()
        async with farm.running(1) as node:
            await farm.until(lambda: "uptime" in node.steps, within_s=60, every_s=0.01)
            await node.stop()
            await farm.clock.sleep(20)
            assert farm.state(1) is Power.UP


async def settled(farm: VirtualFarm, node: VirtualNode) -> None:
    """The node has run for a while: it has its two reports, and sends none before Down."""
    await farm.until(lambda: len(node.recorded(UptimeReported)) >= 2, within_s=1500)


async def test_r13_a_down_of_unknown_fate_counts_as_said(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await settled(farm, node)
        node.chain.lose_sight_of_next = True
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=300)
        assert node.recorded(ShutdownAborted)[0].step == "say down"
        assert node.container.server().own.window is not None


async def test_a_down_that_the_last_process_of_this_boot_said_is_waited_for_until_it_is_final(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await settled(farm, node)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "arm" in node.steps, within_s=120, every_s=0.001)
        farm.ledger.hold_finality = True
        await farm.until(lambda: "final" in node.steps, within_s=120)
        node.chain.unavailable = True  # so that no Up is said at the stop
        await node.stop()
    assert farm.state(1) is Power.DOWN
    async with farm.running(1, same_boot=True) as node:
        await farm.until(lambda: "final" in node.steps, within_s=100)
        assert not node.recorded(PowerStateSet), "the chain says Down already"
        farm.ledger.hold_finality = False
        await farm.until(lambda: node.dark, within_s=200)


async def test_a_final_down_that_the_last_process_of_this_boot_said_is_not_sent_again(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await settled(farm, node)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "uptime" in node.steps, within_s=120, every_s=0.001)
        node.chain.unavailable = True  # so that no Up is said at the stop
        await node.stop()
    assert farm.state(1) is Power.DOWN
    async with farm.running(1, same_boot=True) as node:
        await farm.until(lambda: node.dark, within_s=200)
        assert not node.recorded(PowerStateSet), "the chain says Down already, and no fork can undo it"
