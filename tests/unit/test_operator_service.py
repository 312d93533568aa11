"""What people and programs can ask of the daemon (docs/zbus.md)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.host_facts import SimulatedHostFacts
from app.adapters.simulated.identity import SimulatedIdentity
from app.adapters.telemetry.recent import KeptEvents
from app.domain.errors import (
    ChainUnavailable,
    ExtrinsicFailed,
    FeePause,
    IdentityUnavailable,
    NodeNotKnown,
    NotWantedUp,
)
from app.domain.events import Reconciled, StayingUp, UptimeReported, UptimeSkipped, WakeBurstStarted
from app.domain.faults import FaultKind
from app.domain.model import FarmId, Head, HeadKind, Hold, NodeId, NodeIdentity, NodePower, Power, TwinId
from app.domain.model import PowerState as State
from app.domain.rules.shutdown import Step
from app.domain.services.identification import Identification
from app.domain.services.operator_service import OperatorService
from app.domain.services.waking.farm_directory import FarmDirectory
from app.domain.status import NodeStatus
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode, account_of, context_of

pytestmark = pytest.mark.anyio

PEER = NodeId(2)


@asynccontextmanager
async def operator_of(farm: VirtualFarm, number: int = 1) -> AsyncIterator[tuple[VirtualNode, OperatorService]]:
    """A node that has reported its uptime and looked at itself and at the farm."""
    async with farm.running(number) as node:
        await farm.until(lambda: any(each.trigger.startswith("itself") for each in node.recorded(Reconciled)))
        await farm.clock.sleep(10)
        yield node, node.container.operator()


# -- before it is known which node this is ---------------------------------------------------------------
async def test_it_says_what_it_waits_for_and_refuses_all(clock: VirtualClock) -> None:
    identity = SimulatedIdentity(NodeIdentity(NodeId(1), FarmId(1), TwinId(2)), fail_times=20)
    context = context_of(clock)
    identification = Identification(identity, context)
    operator = OperatorService(identification, context, SimulatedHostFacts(clock), KeptEvents(clock), "1.2.3")
    assert operator.headline() == "waiting to know which node this is: looking up this node's ids"
    assert operator.status() == NodeStatus("1.2.3", waiting_for="looking up this node's ids", now_s=clock.now())
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(identification.run())
        await clock.sleep(120)
        status = operator.status()
        assert status.waiting_for == identification.waiting_for != ""
        assert [fault.key for fault in status.faults] == ["identity"]
        for request in (operator.reconcile(), operator.report_uptime(), operator.wake(PEER)):
            with pytest.raises(IdentityUnavailable, match=identification.waiting_for):
                await request
        asking.cancel()


async def test_its_headline_says_what_the_node_does(farm: VirtualFarm) -> None:
    async with operator_of(farm) as (_, operator):
        await operator.wake(PEER)
        assert operator.headline() == "up, as its target says; waking node 2"


# -- the status ----------------------------------------------------------------------------------------
async def test_before_its_first_look_the_status_claims_nothing(farm: VirtualFarm) -> None:
    node = VirtualNode(farm, 1)
    operator = node.container.operator()
    operator.services = node.container.services()
    status = operator.status()
    assert status.identity == NodeIdentity(NodeId(1), farm.id, TwinId(2))
    assert (status.power, status.head, status.looked_at_s) == (None, None, None)
    assert (status.last_uptime, status.last_uptime_age_s, status.holds, status.wakes) == (None, None, (), ())


async def test_the_status_shows_a_hold_as_soon_as_it_is_placed_and_no_longer_than_it_is(farm: VirtualFarm) -> None:
    async with operator_of(farm) as (node, operator):
        hold = Hold("backup", "nightly", None)
        node.holds.place(hold)
        assert operator.status().holds == (hold,)
        node.holds.lift("backup")
        assert operator.status().holds == ()


async def test_the_status_shows_what_was_seen_and_costs_the_chain_nothing(farm: VirtualFarm) -> None:
    async with operator_of(farm) as (node, operator):
        await farm.clock.sleep(100)
        reads = node.chain.reads
        status = operator.status()
        assert node.chain.reads == reads
    assert status.version
    assert status.power == NodePower(State(Power.UP), Power.UP)
    assert status.head is not None
    assert status.head.number is not None
    assert status.looked_at_s is not None
    assert status.last_uptime == node.recorded(UptimeReported)[0].sample
    assert status.last_uptime_age_s == pytest.approx(110, abs=10)
    assert (status.staying_up, status.shutdown_step, status.not_enabled, status.faults) == ("", "", "", ())


async def test_the_status_says_why_the_node_stays_up(farm: VirtualFarm) -> None:
    async with operator_of(farm) as (node, operator):
        node.holds.place(Hold("backup", "copies", None))
        node.facts.problems = ("readonly-cache",)
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: bool(node.recorded(StayingUp)))
        status = operator.status()
    assert status.holds == (Hold("backup", "copies", None),)
    assert status.staying_up == "held by backup: copies"
    assert status.problems == ("readonly-cache",)
    assert status.power == NodePower(State(Power.UP), Power.DOWN)


async def test_the_status_shows_what_is_not_enabled_and_the_faults(farm: VirtualFarm) -> None:
    async with farm.running(1, settings={"power_management.enabled": False}) as node:
        await farm.until(lambda: len(node.recorded(Reconciled)) >= 2)
        node.container.faults().report(FaultKind.WALLET.key(), "empty")
        status = node.container.operator().status()
    assert status.not_enabled
    fault = next(each for each in status.faults if each.key == "wallet")
    assert (fault.message, fault.since_s, fault.urgency) == ("empty", status.now_s, "at once")
    assert fault.remedy == FaultKind.WALLET.remedy


async def test_a_broken_answer_is_no_power(farm: VirtualFarm) -> None:
    async with operator_of(farm) as (node, operator):
        node.chain.broken.add(NodeId(1))
        await operator.reconcile()
        await farm.until(lambda: bool(operator.status().staying_up))
        assert operator.status().power is None


async def test_the_status_shows_the_step_of_the_shutdown(farm: VirtualFarm) -> None:
    async with operator_of(farm) as (_, operator):
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: operator.status().shutdown_step == Step.FINAL.value)
        await farm.set_target(1, Power.UP)
        await farm.until(lambda: operator.status().shutdown_step == "")


# -- requests --------------------------------------------------------------------------------------------
async def test_a_reconcile_is_a_look_at_the_node_and_at_the_farm(farm: VirtualFarm) -> None:
    async with operator_of(farm) as (node, operator):
        before = len(node.recorded(Reconciled))
        await operator.reconcile()
        await farm.until(lambda: len(node.recorded(Reconciled)) >= before + 2, within_s=5)
        assert {each.trigger for each in node.recorded(Reconciled)[before:]} == {
            "itself: an operator's request",
            "the farm: an operator's request",
        }


async def test_an_uptime_report_on_demand_is_on_the_chain(farm: VirtualFarm) -> None:
    async with operator_of(farm) as (node, operator):
        await farm.clock.sleep(100)
        result = await operator.report_uptime()
        assert isinstance(result, UptimeReported)
        assert node.recorded(UptimeReported)[-1] == result
        await farm.clock.sleep(10)
        assert operator.status().last_uptime_age_s == pytest.approx(10, abs=8)


async def test_wishes_for_a_report_at_once_are_one_report_and_later_ones_another(farm: VirtualFarm) -> None:
    async with operator_of(farm) as (node, operator):
        one, other = await asyncio.gather(operator.report_uptime(), operator.report_uptime())
        assert one is other
        assert len(node.recorded(UptimeReported)) == 2
        assert await operator.report_uptime() is not one


async def test_a_report_that_failed_is_tried_again_by_the_next_caller(farm: VirtualFarm) -> None:
    async with operator_of(farm) as (node, operator):
        node.chain.refuse_uptime(times=1)
        failed, taken = await asyncio.gather(operator.report_uptime(), operator.report_uptime(), return_exceptions=True)
        assert isinstance(failed, Exception)
        assert isinstance(taken, UptimeReported)


async def test_r15_callers_that_ask_again_and_again_pay_no_fee_for_a_report_that_failed(farm: VirtualFarm) -> None:
    async with operator_of(farm) as (_, operator):
        twin = farm.ledger.read("TwinIdByAccountID", account_of(1))
        farm.ledger.force_storage("NodeIdByTwinID", twin, 0)
        with pytest.raises(ExtrinsicFailed):
            await operator.report_uptime()
        for _ in range(20):
            with pytest.raises(FeePause, match=r"waits before the next one: report_uptime_v2 failed: "):
                await operator.report_uptime()
        farm.ledger.force_storage("NodeIdByTwinID", twin, 1)
        await farm.clock.sleep(120)
        assert isinstance(await operator.report_uptime(), UptimeReported)


async def test_an_unhealthy_node_says_so_instead_of_reporting(farm: VirtualFarm) -> None:
    async with operator_of(farm) as (node, operator):
        node.facts.problems = ("readonly-cache",)
        assert await operator.report_uptime() == UptimeSkipped(("readonly-cache",))


async def test_a_peer_is_woken_and_the_wake_is_in_the_status(farm: VirtualFarm) -> None:
    async with operator_of(farm) as (node, operator):
        await operator.wake(PEER)
        await farm.until(lambda: bool(node.recorded(WakeBurstStarted)), within_s=5)
        await farm.clock.sleep(10)
        (wake,) = operator.status().wakes
        assert (wake.node, wake.reason, wake.attempts, wake.overdue) == (PEER, "an operator's request", 1, False)
        assert wake.running_for_s == pytest.approx(10, abs=2)
        await operator.wake(PEER)
        await farm.until(lambda: len(node.recorded(WakeBurstStarted)) == 2, within_s=5)
        assert node.packets_to(PEER)


@pytest.mark.parametrize("node_id", [1, 404])
async def test_who_is_no_other_node_of_the_farm_is_not_woken(farm: VirtualFarm, node_id: int) -> None:
    async with operator_of(farm) as (_, operator):
        with pytest.raises(NodeNotKnown, match=f"node {node_id} is not another node of farm 1"):
            await operator.wake(NodeId(node_id))


async def test_a_peer_whose_target_is_down_is_not_woken_and_it_is_said_what_to_do(farm: VirtualFarm) -> None:
    async with operator_of(farm) as (node, operator):
        await farm.set_target(PEER, Power.DOWN)
        with pytest.raises(NotWantedUp, match="set it to Up first"):
            await operator.wake(PEER)
        assert not node.packets_to(PEER)


async def test_a_chain_that_is_away_or_broken_holds_no_wake_back(farm: VirtualFarm) -> None:
    async with operator_of(farm) as (node, operator):
        node.chain.broken.add(PEER)
        await operator.wake(PEER)
        node.chain.unavailable = True
        await operator.wake(PEER)
        await farm.until(lambda: bool(node.packets_to(PEER)), within_s=5)


# -- where each read is a call -------------------------------------------------------------------------
async def test_a_directory_that_pays_for_each_record_reads_only_those_it_is_asked_for(farm: VirtualFarm) -> None:
    directory = FarmDirectory(context_of(farm.clock), farm.farmer, refresh_s=60, nodes_at_once=2)
    assert list(await directory.peers()) == [PEER, NodeId(3)]
    assert (directory.known(PEER), directory.known(NodeId(3))) == (None, None)
    assert list(await directory.among([PEER])) == [PEER]
    await farm.clock.sleep(61)
    farm.leave(PEER)
    assert list(await directory.peers()) == [NodeId(3)]
    assert directory.known(PEER) is None


class Gateway:
    """Tells no head beside a reading, and its ``time_s`` if it has one."""

    def __init__(self, node: VirtualNode, monkeypatch: pytest.MonkeyPatch, clock: VirtualClock) -> None:
        self.time_s: float | None = clock.now()
        node.chain.has_finality = node.chain.has_heads = False
        monkeypatch.setattr(node.chain, "head", self.head)

    async def head(self, kind: HeadKind) -> Head:
        if self.time_s is None:
            raise ChainUnavailable("the gateway hangs")
        return Head(kind, None, "", self.time_s)


async def test_without_a_head_the_chains_time_says_how_old_the_answer_is(
    farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with operator_of(farm) as (node, operator):
        gateway = Gateway(node, monkeypatch, farm.clock)
        gateway.time_s = None
        await farm.set_target(1, Power.DOWN)
        await farm.until(lambda: "is not known: the gateway hangs" in operator.status().staying_up)
        gateway.time_s = farm.clock.now() - 600
        await farm.until(lambda: " s old, more than" in operator.status().staying_up)
        assert not node.dark
        gateway.time_s = farm.clock.now()
        await farm.until(lambda: operator.status().shutdown_step != "", within_s=10)
