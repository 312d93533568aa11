"""R10: a node that wakes by itself again and again stays up a growing time, says so, and recovers by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dependency_injector import providers

from app.domain.events import FaultCleared, StayingUp
from app.domain.model import NodeId, Power
from app.domain.rules.boot_loop import BootRecord
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

AT_ONCE_S = 120.0


async def boot(
    farm: VirtualFarm, *, within_s: float, before: Callable[[VirtualNode], None] = lambda _: None
) -> tuple[float, VirtualNode]:
    """Node 1 boots though its target is Down; how long it stays up."""
    began_s = farm.clock.monotonic()
    async with farm.running(1, before=before) as node:
        await farm.until(lambda: node.dark, within_s=within_s, every_s=1.0)
    farm.finalize()
    return farm.clock.monotonic() - began_s, node


async def loop(farm: VirtualFarm, boots: int) -> None:
    """A number of unwanted boots, one after the other."""
    if farm.state(1) is Power.UP:
        farm.put_to_sleep(1)
        farm.finalize()
    for _ in range(boots):
        await boot(farm, within_s=20_000)


async def test_r10_the_first_two_boots_are_powered_off_at_once_and_then_it_stays_up_longer_and_longer(
    farm: VirtualFarm,
) -> None:
    await loop(farm, 0)
    stays = [(await boot(farm, within_s=20_000))[0] for _ in range(6)]
    assert max(stays[:2]) < AT_ONCE_S
    for stay, least in zip(stays[2:], (300, 600, 1200, 2400), strict=True):
        assert least <= stay < least + 330 + AT_ONCE_S


async def test_r10_it_says_so_and_its_state_is_up_meanwhile(farm: VirtualFarm) -> None:
    await loop(farm, 2)
    async with farm.running(1) as node:
        await farm.until(lambda: farm.state(1) is Power.UP)
        await farm.until(lambda: "boot-loop" in node.fault_keys)
        (told,) = node.recorded(StayingUp)
        assert told.reason == (
            "this node was booted 3 times in a row though its target is Down: it stays up 300 s a boot"
        )
        assert node.fault("boot-loop").message.startswith(told.reason)
        assert node.container.server().staying_up == told.reason
        await farm.until(lambda: node.dark, within_s=800)
        assert farm.state(1) is Power.DOWN


async def test_r10_it_names_what_else_wakes_the_card(farm: VirtualFarm) -> None:
    def by_broadcast_too(node: VirtualNode) -> None:
        node.nic.wake_modes.add("b")

    await loop(farm, 2)
    async with farm.running(1, before=by_broadcast_too) as node:
        await farm.until(lambda: "boot-loop" in node.fault_keys)
        said = "it stays up 300 s a boot; eth0 also wakes it by b (nic.wake_modes); find out what wakes it"
        assert said in node.fault("boot-loop").message
        assert "eth0 also wakes it by b" in node.container.server().staying_up


async def test_r10_a_target_up_resets_the_count_at_once(farm: VirtualFarm) -> None:
    await loop(farm, 3)
    async with farm.running(1) as node:
        await farm.until(lambda: "boot-loop" in node.fault_keys)
        await farm.set_target(1, Power.UP)
        await farm.until(lambda: FaultCleared("boot-loop") in node.recorded(FaultCleared), within_s=30)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=AT_ONCE_S)
    farm.finalize()
    assert (await boot(farm, within_s=AT_ONCE_S))[1].hardware.disk.record is not None


async def test_r10_a_long_sleep_resets_the_count(farm: VirtualFarm) -> None:
    await loop(farm, 4)
    for _ in range(4):
        await farm.clock.sleep(82_800)
        farm.finalize()
        assert (await boot(farm, within_s=20_000))[0] < AT_ONCE_S


async def test_r10_a_daemon_that_is_started_again_is_no_boot(farm: VirtualFarm) -> None:
    farm.put_to_sleep(1)
    farm.finalize()
    for number in range(4):
        async with farm.running(1, same_boot=bool(number)) as node:
            await farm.until(lambda node=node: bool(node.steps))  # type: ignore[misc]
    record = node.hardware.disk.record
    assert record is not None
    assert record.unwanted == 1


async def test_r10_a_daemon_that_is_started_again_keeps_the_time(farm: VirtualFarm) -> None:
    await loop(farm, 2)
    async with farm.running(1) as node:
        await farm.clock.sleep(200)
    async with farm.running(1, same_boot=True) as node:
        await farm.clock.sleep(200)  # the machine's uptime is counted from the daemon's start here
        assert not node.steps
        assert node.container.server().staying_up


async def test_r10_a_node_that_falls_while_it_is_kept_up_is_kept_up_again(farm: VirtualFarm) -> None:
    await loop(farm, 2)
    async with farm.running(1):
        await farm.until(lambda: farm.state(1) is Power.UP)
        await farm.clock.sleep(60)
    farm.finalize()
    assert (await boot(farm, within_s=1000))[0] >= 300


# -- a memory that can't be read or written never keeps the node from working -------------------------


async def test_r10_an_unwritable_memory_is_a_fault_and_the_node_powers_off(farm: VirtualFarm) -> None:
    farm.put_to_sleep(1)
    farm.finalize()
    _, node = await boot(farm, within_s=AT_ONCE_S, before=unwritable)
    assert "boot-memory" in node.fault_keys
    assert "a boot loop of this node would not be noticed: the simulated disk can't be written" in (
        node.fault("boot-memory").message
    )


async def test_r10_a_memory_that_cannot_be_read_counts_as_empty(farm: VirtualFarm) -> None:
    await loop(farm, 4)
    stay, node = await boot(farm, within_s=AT_ONCE_S, before=unreadable)
    assert stay < AT_ONCE_S
    assert node.hardware.disk.record is not None
    assert node.hardware.disk.record.unwanted == 1


async def test_r10_a_memory_that_could_not_be_written_is_tried_again_before_the_power_off(farm: VirtualFarm) -> None:
    farm.put_to_sleep(1)
    farm.finalize()
    async with farm.running(1, before=unwritable) as node:
        await farm.until(lambda: "boot-memory" in node.fault_keys)
        node.hardware.disk.unwritable = False
        await farm.until(lambda: node.dark, within_s=AT_ONCE_S)
        record = node.hardware.disk.record
        assert record is not None
        assert record.unwanted == 1


async def test_r10_a_power_off_of_a_node_that_was_wanted_writes_nothing_more(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.until(lambda: node.hardware.disk.record is not None)
        first = node.hardware.disk.record
        await farm.clock.sleep(1000)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)
        assert node.hardware.disk.record is first


async def test_r10_without_any_memory_the_boots_are_counted_within_the_process(farm: VirtualFarm) -> None:
    farm.put_to_sleep(1)
    farm.finalize()

    def none(node: VirtualNode) -> None:
        node.container.boot_memory.override(providers.Object(None))

    stay, node = await boot(farm, within_s=AT_ONCE_S, before=none)
    assert stay < AT_ONCE_S
    assert not node.fault_keys


async def test_r10_an_answer_that_is_broken_judges_nothing(farm: VirtualFarm) -> None:
    async with farm.running(1, before=lambda node: node.chain.broken.add(NodeId(1))) as node:
        await farm.clock.sleep(30)
        assert node.hardware.disk.record is None
        node.chain.broken.clear()
        await farm.until(lambda: isinstance(node.hardware.disk.record, BootRecord), within_s=30)


def unwritable(node: VirtualNode) -> None:
    node.hardware.disk.unwritable = True


def unreadable(node: VirtualNode) -> None:
    node.hardware.disk.unreadable = True
