"""R14: a node with target and state Up and no sign of life is called now and then, and is a fault."""

from __future__ import annotations

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.domain.events import OperationFailed, WakeBurstStarted, WakeEnded
from app.domain.model import NodeId, Power
from app.domain.rules.wake_rank import order
from app.domain.services.waking.signs_watch import SignsWatch
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

CALLS: dict[str, object] = {"wake.call_silent": True}
KEY = "node-2-silent"
HOUR = 3600.0


@pytest.fixture
def pair(clock: VirtualClock) -> VirtualFarm:
    return VirtualFarm(clock, nodes=2)


def bursts(node: VirtualNode) -> int:
    return len(node.recorded(WakeBurstStarted))


async def test_r14_a_dark_node_that_the_chain_calls_up_is_called_and_a_fault_until_it_gives_a_sign(
    pair: VirtualFarm,
) -> None:
    async with pair.running(1, settings=CALLS) as node:
        async with pair.running(2):
            await pair.clock.sleep(HOUR)
        dark_at = pair.clock.monotonic()
        await pair.until(lambda: KEY in node.fault_keys, within_s=HOUR)
        assert "has not reported its uptime for 45 min" in node.fault(KEY).message
        assert pair.clock.monotonic() - dark_at > 300
        await pair.until(lambda: bursts(node) == 3, within_s=120)
        await pair.clock.sleep(200)
        assert [told.reason for told in node.recorded(WakeBurstStarted)] == ["it gives no sign of life"] * 3
        assert node.recorded(WakeEnded)[0].outcome == "its state is Up, and all its bursts were sent"
        async with pair.running(2):
            await pair.until(lambda: KEY not in node.fault_keys, within_s=400)
            before = bursts(node)
            await pair.clock.sleep(2 * HOUR)
            assert bursts(node) == before


async def test_r14_it_is_called_ever_more_rarely(pair: VirtualFarm) -> None:
    async with pair.running(1, settings=CALLS) as node:
        await pair.clock.sleep(24 * HOUR)
        assert 3 * 4 <= bursts(node) <= 3 * 10


@pytest.mark.parametrize("how", ["target down", "asleep", "left"])
async def test_r14_it_ends_when_it_is_not_wanted_up_or_not_called_up_any_more(pair: VirtualFarm, how: str) -> None:
    async with pair.running(1, settings=CALLS) as node:
        await pair.until(lambda: KEY in node.fault_keys, within_s=2 * HOUR)
        await pair.clock.sleep(300)
        if how == "target down":
            pair.want_down(2)
        elif how == "asleep":
            pair.put_to_sleep(2)
        else:
            pair.leave(2)
        await pair.until(lambda: KEY not in node.fault_keys, within_s=2400)
        before = bursts(node)
        await pair.clock.sleep(6 * HOUR)
        assert bursts(node) == before


async def test_a_waker_that_just_started_waits_a_whole_interval(pair: VirtualFarm) -> None:
    async with pair.running(1, settings=CALLS) as node:
        await pair.clock.sleep(2600)
        assert not bursts(node)
        assert KEY not in node.fault_keys


async def test_a_chain_that_stands_still_makes_no_node_silent(pair: VirtualFarm) -> None:
    async with pair.running(1, settings=CALLS) as node, pair.running(2):
        await pair.clock.sleep(HOUR)
        pair.ledger.hold_blocks = True
        await pair.clock.sleep(3 * HOUR)
        pair.ledger.hold_blocks = False
        await pair.clock.sleep(2 * HOUR)
        assert not bursts(node)
        assert not [fault for fault in node.fault_keys if fault.endswith("silent")]


async def test_finality_that_stands_still_makes_no_node_silent(pair: VirtualFarm) -> None:
    async with pair.running(1, settings=CALLS) as node, pair.running(2):
        await pair.clock.sleep(HOUR)
        pair.ledger.hold_finality = True
        await pair.clock.sleep(HOUR)
        pair.ledger.hold_finality = False
        await pair.clock.sleep(HOUR)
        assert not bursts(node)


async def test_a_chain_that_could_not_be_read_makes_no_node_silent(pair: VirtualFarm) -> None:
    async with pair.running(1, settings=CALLS) as node, pair.running(2):
        await pair.clock.sleep(HOUR)
        node.signs_of_life.unavailable = True
        await pair.clock.sleep(HOUR)
        node.signs_of_life.unavailable = False
        await pair.clock.sleep(HOUR)
        assert not bursts(node)
        assert "looking for signs of life" in [told.doing for told in node.recorded(OperationFailed)]


async def test_nodes_that_report_are_never_called(farm: VirtualFarm) -> None:
    async with farm.all_running(farm.node_ids, settings=CALLS) as nodes:
        await farm.clock.sleep(12 * HOUR)
        assert not any(bursts(node) for node in nodes.values())


async def test_it_is_called_by_the_first_few_that_are_awake_themselves(clock: VirtualClock) -> None:
    """The three that stand first for node 12 are dark too: nothing is left to them."""
    farm = VirtualFarm(clock, nodes=12)
    wakers = order(NodeId(12), [NodeId(node) for node in range(1, 12)])
    dark, awake = {*wakers[:3], NodeId(12)}, wakers[3:]
    async with farm.all_running(awake, settings=CALLS) as nodes:
        await farm.until(lambda: all("node-12-silent" in node.fault_keys for node in nodes.values()), within_s=2 * HOUR)
        await clock.sleep(600)
        callers = {
            number for number, node in nodes.items() if any(told.node == 12 for told in node.recorded(WakeBurstStarted))
        }
        assert callers == set(awake[:3])
        assert len(dark) == 4


async def test_it_can_be_switched_off(pair: VirtualFarm) -> None:
    settings: dict[str, object] = {"wake.call_silent": False, "power_management.last_waker_guard": True}
    async with pair.running(1, settings=settings) as node:
        await pair.clock.sleep(6 * HOUR)
        assert not bursts(node)
        assert not node.fault_keys


async def test_calling_a_silent_node_does_not_put_off_the_own_power_off(pair: VirtualFarm) -> None:
    async with pair.running(1, settings=CALLS) as node:
        await pair.until(lambda: bool(bursts(node)), within_s=2 * HOUR)
        await pair.set_target(1, Power.DOWN)
        await pair.until(lambda: node.dark, within_s=60)


async def test_two_that_look_at_the_same_time_are_one_look(pair: VirtualFarm) -> None:
    async with pair.running(1, settings=CALLS) as node:
        await pair.clock.sleep(20)
        before = node.signs_of_life.reads
        watch = SignsWatch(node.signs_of_life, pair.clock, fresh_s=2700)
        await watch.look([NodeId(2)])
        await watch.look([NodeId(2)])
        assert node.signs_of_life.reads == before + 1
        assert not watch.silent_among([NodeId(1)]), "nothing is known of it"
