"""R5: what goes on beside a look of the shutdown has ended, and ended well, before the act that it is for."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from app.domain.errors import MemoryUnusable
from app.domain.events import PowerStateSet, ShutdownAborted
from app.domain.model import Inclusion, Mac, Node, NodeId, Power, Unreadable
from app.domain.rules.paid import DownWindow
from app.domain.rules.proved_wake import WakeRecord
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

ANOTHER = Mac.parse("02:00:00:00:00:99")
SLOW_S = 20.0


def slow_disk(farm: VirtualFarm, node: VirtualNode) -> list[float]:
    """Every save takes a while; the moments at which one ended."""
    memory, ended = node.hardware.window, list[float]()
    save = memory.save

    async def slowly(record: DownWindow, *, durably: bool = True) -> None:
        await farm.clock.sleep(SLOW_S)
        await save(record, durably=durably)
        ended.append(farm.clock.monotonic())

    memory.save = slowly  # type: ignore[method-assign]
    return ended


def slow_records(farm: VirtualFarm, node: VirtualNode) -> None:
    """Every read of a record takes a while, far longer than a look."""
    read = node.chain.nodes

    async def slowly(nodes: Collection[NodeId]) -> Mapping[NodeId, Node | Unreadable]:
        await farm.clock.sleep(SLOW_S)
        return await read(nodes)

    node.chain.nodes = slowly  # type: ignore[method-assign]


def slow_guard(farm: VirtualFarm, node: VirtualNode, began: list[float]) -> None:
    """Every read of the record of wakes takes a while, and fails; ``began`` gets the moments at which one began."""

    async def slowly() -> WakeRecord:
        began.append(farm.clock.monotonic())
        await farm.clock.sleep(SLOW_S)
        raise MemoryUnusable("a dying disk")

    node.hardware.wakes.load = slowly  # type: ignore[method-assign]


def note(order: list[str], adapter: object, name: str) -> None:
    """Note the name of each call of that method when it has ended."""
    method = getattr(adapter, name)

    async def noted(*arguments: object) -> object:
        result = await method(*arguments)
        order.append(name)
        return result

    setattr(adapter, name, noted)


async def at_step(farm: VirtualFarm, node: VirtualNode, step: str) -> None:
    await farm.until(lambda: step in node.steps, within_s=120, every_s=0.001)


async def enabled(farm: VirtualFarm, node: VirtualNode) -> None:
    await farm.until(lambda: node.container.services().management.enabled)


async def test_r13_down_is_sent_once_it_is_saved_that_it_comes(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await enabled(farm, node)
        saved = slow_disk(farm, node)
        sent: list[float] = []
        submit = node.chain.set_power_state

        async def noted(power: Power) -> Inclusion:
            sent.append(farm.clock.monotonic())
            return await submit(power)

        node.chain.set_power_state = noted  # type: ignore[method-assign]
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(sent), within_s=120)
        assert saved
        assert saved[0] <= sent[0]


async def test_r13_a_look_that_forbids_down_forgets_that_it_comes(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await enabled(farm, node)
        slow_disk(farm, node)
        await farm.set_target(1, Power.DOWN)
        await at_step(farm, node, "arm")
        await farm.set_target(1, Power.UP)
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=120)
        assert node.recorded(ShutdownAborted)[0].step == "arm"
        assert node.hardware.window.record is None
        assert not node.recorded(PowerStateSet)


async def test_r13_a_target_that_turns_up_while_a_disk_answers_the_last_look_stops_it_before_down(
    farm: VirtualFarm,
) -> None:
    asked: list[float] = []
    async with farm.running(1, before=lambda node: slow_guard(farm, node, asked)) as node:
        await farm.set_target(1, Power.DOWN)
        await at_step(farm, node, "arm")
        before = len(asked)
        await farm.until(lambda: len(asked) > before, within_s=120)
        await farm.set_target(1, Power.UP, tell=())
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=120)
        assert node.recorded(ShutdownAborted)[0].step == "arm"
        assert not node.recorded(PowerStateSet)


async def test_r14_a_record_that_changed_since_the_look_before_stops_it_before_down(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await enabled(farm, node)
        slow_records(farm, node)
        await farm.set_target(1, Power.DOWN)
        await at_step(farm, node, "arm")
        farm.replace_mac(1, ANOTHER)
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=120)
        assert str(ANOTHER) in node.recorded(ShutdownAborted)[0].reason
        assert not node.recorded(PowerStateSet)
        assert "power-management" in node.fault_keys


async def test_a_record_that_can_not_be_read_stops_it_before_down(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await enabled(farm, node)
        await farm.set_target(1, Power.DOWN)
        await at_step(farm, node, "arm")
        node.chain.records_unavailable = True
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=120)
        assert not node.recorded(PowerStateSet)


async def test_r14_a_record_that_changed_after_down_stops_the_order(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await at_step(farm, node, "uptime")
        slow_records(farm, node)
        farm.replace_mac(1, ANOTHER)
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=120)
        assert node.recorded(ShutdownAborted)[0].step == "target"
        assert not node.host_power.orders
        await farm.until(lambda: farm.state(1) is Power.UP, within_s=60)


async def test_r14_the_look_and_the_record_of_an_order_follow_the_arming(farm: VirtualFarm) -> None:
    order: list[str] = []
    async with farm.running(1) as node:
        await farm.set_target(1, Power.DOWN)
        await at_step(farm, node, "uptime")
        for calls, name in ((node.nic, "arm"), (node.chain, "nodes"), (node.chain, "powers_at_heads")):
            note(order, calls, name)
        await farm.until(lambda: node.dark, within_s=120)
    assert order[-3] == "arm"
    assert sorted(order[-2:]) == ["nodes", "powers_at_heads"]
