"""Behind a gateway: answers name neither block nor finality, and each read takes long."""

from __future__ import annotations

import pytest

from app.adapters.simulated.chain import SimulatedChain
from app.adapters.zbus.chain_time import ChainTime
from app.domain.errors import ChainUnavailable, ExtrinsicFailed, ExtrinsicUncertain
from app.domain.events import ShutdownAborted, WakeEnded
from app.domain.model import FarmId, Head, HeadKind, Inclusion, NodeId, Power
from app.domain.services.own_power.head_watch import HeadWatch
from app.domain.services.own_power.own_state import OwnState
from app.entrypoints.neighbours.gateway import as_go
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

MILLISECOND = 147
"""The milliseconds of every block's time: the gateway's answer is 147 s ahead."""

SETTINGS: dict[str, object] = {"shutdown.settled_s": 30}


class GatewayChain(SimulatedChain):
    """A chain of whose heads only the time can be read, slowly, and as wrong as the Go library makes it."""

    time_takes_s = 0.0
    away = False
    stands_at_ms = 0

    async def head(self, kind: HeadKind) -> Head | None:
        asked_at_s, time_ms = self._clock.monotonic(), self.stands_at_ms or self._ledger.best.time_ms
        await self._clock.sleep(self.time_takes_s)
        if self.away:
            raise ChainUnavailable("no GetTime")
        if not hasattr(self, "chain_time"):
            self.chain_time = ChainTime()
        now_s = self._clock.monotonic()
        told = self.chain_time.read(as_go(time_ms + MILLISECOND), asked_at_s=asked_at_s, now_s=now_s)
        return Head(kind, None, "", told.time_s, told.uncertainty_s, told.seen_s_max)


def behind_a_gateway(node: VirtualNode) -> None:
    node.chain.__class__ = GatewayChain
    node.chain.has_finality = node.chain.has_heads = False


def gateway(node: VirtualNode) -> GatewayChain:
    assert isinstance(node.chain, GatewayChain)
    return node.chain


async def test_a_node_sleeps_once_its_down_has_settled(farm: VirtualFarm) -> None:
    async with farm.running(1, before=behind_a_gateway, settings=SETTINGS) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.dark, within_s=120)


async def test_a_target_that_turns_up_while_the_time_is_asked_is_seen(farm: VirtualFarm) -> None:
    async with farm.running(1, before=behind_a_gateway, settings=SETTINGS) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.steps[-1:] == ["uptime"], within_s=200, every_s=0.001)
        gateway(node).time_takes_s = 20.0
        await farm.until(lambda: node.steps[-1:] == ["target"], within_s=200, every_s=0.001)
        await farm.set_target(1, Power.UP)
        await farm.until(lambda: bool(node.recorded(ShutdownAborted)), within_s=200)
        assert not node.dark
        assert node.host_power.orders == []


async def test_r6_a_chain_that_stands_still_powers_off_nothing_though_its_time_is_ahead(farm: VirtualFarm) -> None:
    async with farm.running(1, before=behind_a_gateway, settings=SETTINGS) as node:
        await farm.clock.sleep(10)
        gateway(node).stands_at_ms = farm.ledger.best.time_ms
        await farm.clock.sleep(70)  # the look before the first report saw another block
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "not seen to make a block" in node.container.server().staying_up, within_s=300)
        await farm.clock.sleep(600)
        assert node.host_power.orders == []
        gateway(node).stands_at_ms = 0
        await farm.until(lambda: node.dark, within_s=120)


async def test_r6_a_report_that_takes_minutes_does_not_make_the_head_look_old(farm: VirtualFarm) -> None:
    async with farm.running(1, before=behind_a_gateway, settings=SETTINGS) as node:
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: node.steps[-1:] == ["uptime"], within_s=200, every_s=0.001)
        node.chain.hang_uptime = True
        await farm.until(lambda: node.dark, within_s=600)
        assert node.recorded(ShutdownAborted) == []


async def test_without_the_chains_time_it_stays_up(farm: VirtualFarm) -> None:
    async with farm.running(1, before=behind_a_gateway, settings=SETTINGS) as node:
        gateway(node).away = True
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "is not known: no GetTime" in node.container.server().staying_up, within_s=60)
        assert node.host_power.orders == []


async def with_an_uncertain_down(node: VirtualNode, farm: VirtualFarm) -> OwnState:
    """The node said Down, and does not know whether the chain took it."""
    await farm.clock.sleep(10)
    services = node.container.services()
    await services.management.check()
    node.chain.lose_sight_of_next = True
    with pytest.raises(ExtrinsicUncertain):
        await services.server.set_node_power_state(up=False)
    own: OwnState = services.server.own.state
    return own


async def test_an_up_that_was_never_seen_leaves_an_uncertain_down_in_doubt(
    farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with farm.running(1) as node:
        own = await with_an_uncertain_down(node, farm)

        async def withdrawn(_: Power) -> Inclusion:
            raise ChainUnavailable("no server took the call")

        with monkeypatch.context() as this_once:
            this_once.setattr(node.chain, "set_power_state", withdrawn)
            with pytest.raises(ChainUnavailable):
                await own.set(Power.UP)
        assert own.uncertain


async def test_an_empty_list_of_the_farm_ends_no_wake(farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch) -> None:
    async with farm.running(1) as node:
        farm.put_to_sleep(2)
        await farm.set_target(2, Power.UP)
        await farm.until(lambda: bool(node.packets_to(2)), within_s=10)

        async def none(_: FarmId) -> tuple[NodeId, ...]:
            return ()

        with monkeypatch.context() as this_once:
            this_once.setattr(node.chain, "farm_nodes", none)
            node.container.services().farm._read_at_s = float("-inf")
            await node.container.operator().reconcile()
            await farm.clock.sleep(5)
        await farm.clock.sleep(600)
        assert node.recorded(WakeEnded) == []
        assert len(node.packets_to(2)) > 10


async def test_a_node_that_joined_after_the_list_was_read_is_woken_on(farm: VirtualFarm) -> None:
    async with farm.running(1, settings={}) as node:
        directory = node.container.services().farm
        directory.nodes_at_once = 2
        await farm.clock.sleep(30)
        directory._members = tuple(each for each in directory._members if each != 3)
        directory._nodes.pop(NodeId(3), None)
        farm.put_to_sleep(3)
        await farm.set_target(3, Power.UP)
        await farm.until(lambda: bool(node.packets_to(3)), within_s=10)
        await node.container.operator().reconcile()
        await farm.clock.sleep(600)
        assert node.recorded(WakeEnded) == []


async def test_a_record_that_is_not_answered_is_kept_and_its_node_stays_a_peer(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(30)
        directory = node.container.services().farm
        before = directory.known(NodeId(2))
        record = farm.ledger.read("Nodes", 2)
        farm.ledger.force_storage("Nodes", 2, None)
        await directory.reread([NodeId(2)])
        assert directory.known(NodeId(2)) == before
        directory._nodes.pop(NodeId(2))
        assert list(await directory.among([NodeId(2), NodeId(99)])) == [2]
        farm.ledger.force_storage("Nodes", 2, {**record, "farm_id": 99})
        assert list(await directory.among([NodeId(2)])) == []


async def test_an_up_that_was_included_and_failed_ends_the_doubt(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        own = await with_an_uncertain_down(node, farm)

        async def failed(_: Power) -> Inclusion:
            raise ExtrinsicFailed("change_power_state", "NodeNotExists", "0xabc")

        node.chain.set_power_state = failed  # type: ignore[assignment, method-assign]  # this once
        with pytest.raises(ExtrinsicFailed):
            await own.set(Power.UP)
        assert not own.uncertain, "its nonce was behind that of the lost one"


async def test_where_nodes_have_no_power_uptime_is_reported_and_nothing_else_is_done(farm: VirtualFarm) -> None:
    """R8, R11: Zero-OS 4."""

    def without_power(node: VirtualNode) -> None:
        behind_a_gateway(node)
        node.chain.lacks_power = "there is no such thing here"
        node.nic.missing = True

    async def none(_: FarmId) -> tuple[NodeId, ...]:
        return ()

    async with farm.running(1, before=without_power, settings=SETTINGS) as node:
        node.chain.farm_nodes = none  # type: ignore[assignment, method-assign]  # as the gateway does
        await farm.until(lambda: len(node.chain.samples) > 1, within_s=3000)
        services = node.container.services()
        assert services.management.objection == "there is no such thing here"
        assert list(await services.farm.peers()) == []
        assert node.fault_keys == set()


async def test_a_gateway_with_an_exact_time_is_asked_once(farm: VirtualFarm) -> None:
    clock = farm.clock
    async with farm.running(1, settings=SETTINGS) as node:
        await clock.sleep(10)
        watch = HeadWatch(node.chain, clock, age_s_max=60.0, pause_s=10.0)
        began_s, reads = clock.monotonic(), node.chain.reads
        assert await watch.best() is not None
        assert (clock.monotonic(), node.chain.reads) == (began_s, reads + 1)


async def test_where_no_age_is_too_much_a_vague_time_is_read_once(farm: VirtualFarm) -> None:
    async with farm.running(1, before=behind_a_gateway, settings=SETTINGS) as node:
        began_s = farm.clock.monotonic()
        head = await HeadWatch(node.chain, farm.clock, age_s_max=0.0, pause_s=10.0).best()
        assert head is not None
        assert head.uncertainty_s == 999
        assert farm.clock.monotonic() == began_s
