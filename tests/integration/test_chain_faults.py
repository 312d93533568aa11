"""The daemon as a process, under every fault of the chain."""

from __future__ import annotations

import pytest

from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.client import SubstrateClient
from app.domain.errors import PowerdError
from app.domain.model import HeadKind, Power, UptimeSample
from tests.rigs.chain.as_process import dev_chain
from tests.rigs.node import Node, node_rig
from tests.rigs.node_settings import PEER
from tests.slowness import patient

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

DEAD = "ws://127.0.0.1:9"
TWO = ("--endpoints", "2")


async def powers_off(node: Node) -> None:
    """With target Down it ends off, and the chain says Down for good."""
    await node.target(Power.DOWN)
    await node.daemon.says("PowerOffOrdered")
    await node.daemon.kill()
    assert node.orders == ["orderly"]
    assert await node.state(kind=HeadKind.FINALIZED) is Power.DOWN


async def started(node: Node) -> None:
    """It has said that it is there."""
    await node.daemon.start()
    await node.daemon.says("UptimeReported")


# -- endpoints -----------------------------------------------------------------------------------


async def test_a_dead_endpoint_before_a_good_one() -> None:
    async with node_rig(urls=[DEAD, "{0}"]) as node:
        await started(node)
        await powers_off(node)


async def test_a_hung_endpoint_before_a_good_one() -> None:
    async with node_rig(*TWO) as node:
        with node.endpoint(0) as first:
            first.ask("dev_stopAnswering", True)
        await started(node)
        await powers_off(node)


async def test_an_endpoint_that_hangs_in_the_middle_of_a_shutdown() -> None:
    async with node_rig(*TWO, settings={"shutdown": {"final_deadline_s": 20}}) as node:
        await started(node)
        with node.endpoint(0) as first:
            await node.target(Power.DOWN)
            await node.daemon.says("ShutdownStep", step="final")
            first.ask("dev_stopAnswering", True)
        await node.daemon.says("PowerOffOrdered")


async def test_an_endpoint_that_lags_behind_the_others() -> None:
    async with node_rig(*TWO, "--lag-blocks", "400", settings={"chain": {"best_head_age_s_max": 2}}) as node:
        await started(node)
        await powers_off(node)


async def test_r7_an_event_that_comes_before_its_block_wakes_once_the_endpoint_has_that() -> None:
    async with node_rig(*TWO, urls=["{0}"], settings={"power_management": {"reconcile_interval_s": 3600}}) as node:
        await node.target(Power.DOWN, PEER)
        await node.peer_says(Power.DOWN)
        await started(node)
        await node.blocks_pass(25)
        with node.endpoint(0) as first:
            first.ask("dev_lag", 20)
            mark = node.daemon.mark()
            await node.target(Power.UP, PEER)
            await node.daemon.says("EventsHandled", since=mark)
            assert not node.daemon.count("WakeBurstStarted")
            first.ask("dev_lag", 0)
            await node.daemon.says("WakeBurstStarted", since=mark, node=PEER)


async def test_an_endpoint_of_another_chain_gives_way_and_is_never_believed() -> None:
    with dev_chain("--seed", "other") as other:
        async with node_rig(urls=[other.url, "{0}"]) as node:
            genesis = node.admin.ask("chain_getBlockHash", 0)
        async with node_rig(urls=[other.url, "{0}"], settings={"chain": {"genesis_hash": genesis}}) as node:
            await started(node)


async def test_an_endpoint_that_flaps() -> None:
    async with node_rig("--drop-connections-every-s", "0.4", *TWO, urls=["{0}"]) as node:
        await started(node)
        await powers_off(node)


async def test_a_slow_endpoint() -> None:
    async with node_rig(
        "--delay-s", "0.3", *TWO, urls=["{0}"], settings={"shutdown": {"final_deadline_s": 20}}
    ) as node:
        await started(node)
        await powers_off(node)


async def test_a_chain_that_comes_up_minutes_after_the_daemon() -> None:
    async with node_rig(*TWO, urls=["{0}"]) as node:
        with node.endpoint(0) as only:
            only.ask("dev_stopAnswering", True)
            await node.daemon.start()
            await node.daemon.says("OperationFailed", doing="looking up")
            await node.target(Power.UP, PEER)
            only.ask("dev_heal")
            await node.daemon.says("UptimeReported")
            await node.daemon.says("EventsHandled")


async def test_a_wake_is_not_lost_when_the_chain_was_away_as_its_event_came() -> None:
    async with node_rig(*TWO, urls=["{0}"], settings={"chain": {"timeout_s": 0.5}}) as node:
        with node.endpoint(0) as only:
            await started(node)
            await node.daemon.says("Reconciled", trigger="itself")
            await node.target(Power.DOWN, PEER)
            await node.peer_says(Power.DOWN)
            only.ask("dev_stopAnswering", True)
            mark = node.daemon.mark()
            await node.target(Power.UP, PEER)
            await node.daemon.says("OperationFailed", since=mark)
            assert node.daemon.count("WakeBurstStarted") == 0
            only.ask("dev_heal")
            await node.daemon.says("WakeBurstStarted", node=PEER)


# -- extrinsics ----------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_connection_dropped_around_an_extrinsic_reports_once(when: str) -> None:
    async with node_rig(*TWO, settings={"chain": {"era_blocks": 4}}) as node:
        with node.endpoint(0) as first:
            first.ask("dev_dropAtExtrinsic", when)
        await started(node)
        await node.blocks_pass(3)
        assert node.extrinsics() == 1, "one report, neither lost nor sent twice"


async def test_another_program_uses_the_nodes_nonces() -> None:
    async with node_rig() as node:
        client = SubstrateClient([node.chain.url])
        other = SubstrateChain(client, seed=node.chain.node_seeds[0])
        try:
            await started(node)
            await node.target(Power.DOWN)
            taken = 0
            while not node.daemon.count("PowerOffOrdered"):
                try:
                    now_s = (await other.head(HeadKind.BEST)).time_s
                    await other.report_uptime(lambda: UptimeSample(60, int(now_s)))  # noqa: B023
                    taken += 1
                except PowerdError:
                    pass
            assert taken
        finally:
            await client.close()
        await node.daemon.kill()
        assert await node.state() is Power.DOWN


@pytest.mark.parametrize("reason", ["payment", "stale", "badProof"])
async def test_refused_extrinsics_are_tried_again_at_a_bounded_pace(reason: str) -> None:
    async with node_rig() as node:
        node.admin.ask("dev_refuseExtrinsics", reason, 3)
        await node.daemon.start()
        await node.daemon.says("UptimeReported")
        assert node.daemon.count("OperationFailed", doing="reporting the uptime") == 3
        assert node.extrinsics() == 1


async def test_an_account_that_can_not_pay_is_a_fault_with_its_address() -> None:
    """R15: the address comes from the key, through the refusal."""
    async with node_rig() as node:
        node.admin.ask("dev_refuseExtrinsics", "payment", 4)
        await node.daemon.start()
        fault = await node.daemon.says("FaultRaised", key="wallet")
        assert node.chain.about["nodes"][0]["address"] in fault["facts"]["message"]
        await node.daemon.says("FaultCleared", key="wallet")


async def test_lost_extrinsics_are_found_missing_and_sent_again() -> None:
    async with node_rig(settings={"chain": {"era_blocks": 4, "inclusion_timeout_s": 3}}) as node:
        node.admin.ask("dev_loseExtrinsics", 1)
        await node.daemon.start()
        await node.daemon.says("OperationFailed", doing="uptime")
        await node.daemon.says("UptimeReported")
        await powers_off(node)


async def test_a_down_that_is_lost_powers_nothing_off_until_another_one_is_final() -> None:
    async with node_rig(settings={"chain": {"era_blocks": 4, "inclusion_timeout_s": 3}}) as node:
        await started(node)
        await node.daemon.says("Reconciled")
        node.admin.ask("dev_holdFinality", True)
        await node.target(Power.DOWN)
        # A node of one report sends another one before Down (R13), twice if it must: they are lost as well.
        node.admin.ask("dev_loseExtrinsics", 3)
        node.admin.ask("dev_holdFinality", False)
        await node.daemon.says("OperationFailed", doing="bringing this node in step")
        assert node.orders == []
        await node.daemon.says("PowerOffOrdered")
        assert await node.state(kind=HeadKind.FINALIZED) is Power.DOWN


# -- finality, forks, upgrades, time -------------------------------------------------------------


async def test_a_reorganisation_that_takes_our_down_back() -> None:
    async with node_rig(finality_lag=8) as node:
        await started(node)
        await node.target(Power.DOWN)
        down = (await node.daemon.says("PowerStateSet", power="Down"))["facts"]
        mark = node.daemon.mark()
        node.admin.ask("dev_holdFinality", True)
        behind = (await node.reader.head(HeadKind.BEST)).number - down["block_number"]
        node.admin.ask("dev_reorganise", behind + 3, True)  # the Down, and blocks made while we speak
        assert await node.state() is Power.UP, "the fork has no Down"
        node.admin.ask("dev_holdFinality", False)
        await node.daemon.says("ShutdownAborted", since=mark)
        assert node.orders == []
        await node.daemon.says("PowerOffOrdered", since=mark)
        assert await node.state(kind=HeadKind.FINALIZED) is Power.DOWN


async def test_a_target_down_that_a_reorganisation_takes_back_powers_nothing_off() -> None:
    async with node_rig(finality_lag=6) as node:
        await started(node)
        await node.target(Power.DOWN)
        await node.daemon.says("StayingUp", reason="not finalized")
        node.admin.ask("dev_reorganise", 6, True)
        await node.blocks_pass(10)
        assert node.daemon.count("ShutdownStep") == 0
        assert await node.state() is Power.UP


async def test_finality_that_stands_still_keeps_the_node_up() -> None:
    async with node_rig() as node:
        await started(node)
        node.admin.ask("dev_holdFinality", True)
        await node.target(Power.DOWN)
        await node.daemon.says("StayingUp", reason="not finalized")
        await node.blocks_pass(8)
        assert node.daemon.count("ShutdownStep") == 0
        node.admin.ask("dev_holdFinality", False)
        await node.daemon.says("PowerOffOrdered")


async def test_finality_that_stops_under_our_down_takes_it_back() -> None:
    async with node_rig(finality_lag=8, settings={"shutdown": {"final_deadline_s": 3}}) as node:
        await started(node)
        await node.target(Power.DOWN)
        await node.daemon.says("ShutdownStep", step="arm")  # two seconds before a Down can be final
        node.admin.ask("dev_holdFinality", True)
        await node.daemon.says("PowerStateSet", power="Down")
        await node.daemon.says("PowerStateSet", power="Up")
        assert node.orders == []
        await node.until_state(Power.UP)


async def test_runtime_upgrades_between_any_two_calls() -> None:
    async with node_rig("--upgrade-every-blocks", f"{patient(12):.0f}") as node:
        await started(node)
        await powers_off(node)


async def test_a_clock_that_is_wrong_is_a_fault_with_the_drift_and_no_report() -> None:
    """R13: on the real chain client, whose head is young."""
    async with node_rig("--clock-offset-s", "-90") as node:
        await node.daemon.start()
        fault = await node.daemon.says("FaultRaised", key="clock-drift")
        drift = float(fault["facts"]["message"].split(" by ")[1].split(" s ")[0])
        assert 88 <= drift <= 92
        await node.blocks_pass(8)
        assert node.extrinsics() == 0, "a report would be included and fail, at a fee"
        await node.target(Power.DOWN)
        await node.daemon.says("StayingUp", reason="old")


async def test_a_clock_that_was_set_right_reports_again() -> None:
    async with node_rig("--clock-offset-s", "-90", settings={"uptime": {"unhealthy_retry_s": 1}}) as node:
        await node.daemon.start()
        await node.daemon.says("FaultRaised", key="clock-drift")
        node.admin.ask("dev_shiftClock", 0)
        await node.daemon.says("UptimeReported")
        await node.daemon.says("FaultCleared", key="clock-drift")
