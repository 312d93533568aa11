"""The daemon among Zero-OS' daemons: the same promises, kept through registrar, api-gateway, zui and zinit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.domain.model import Power
from app.domain.rules.shutdown import Step
from tests.rigs.node import Node, node_rig
from tests.rigs.node_settings import ME, PEER, Settings
from tests.rigs.program import STOPS_S
from tests.rigs.redis import hand
from tests.rigs.zos import Neighbour, Neighbourhood

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

STEPS = [step.value for step in Step]
NEIGHBOURS = ["registrar", "identityd", "gateway", "zui", "zinit"]


@asynccontextmanager
async def zos_node(settings: Settings | None = None, **options: Any) -> AsyncIterator[tuple[Node, Neighbourhood]]:
    """A node in the profile of that name, with its neighbourhood."""
    async with node_rig(profile="zos", settings=settings, **options) as node:
        assert node.zos is not None
        yield node, node.zos


async def started(node: Node) -> None:
    """It reports, and has looked at itself."""
    await node.daemon.start()
    await node.daemon.says("UptimeReported")
    await node.daemon.says("Reconciled", trigger="itself")


def unhealthy(node: Node) -> Path:
    """The flag that says so."""
    flag = node.directory / "flags" / "readonly-cache"
    flag.parent.mkdir()
    flag.touch()
    return flag


@pytest.mark.parametrize("zinit", ["v0.2.9", "v0.2.15", "v0.2.25"])
async def test_a_node_sleeps_and_says_up_when_it_is_woken(zinit: str) -> None:
    async with zos_node(zinit=zinit) as (node, _):
        await started(node)
        await node.target(Power.DOWN)
        await node.daemon.says("PowerOffOrdered")
        assert await node.state() is Power.DOWN
        assert node.daemon.count("UptimeReported") == 3, "at boot, before Down, right before the power-off"
        await node.daemon.kill()
        mark = node.daemon.mark()
        await node.target(Power.UP)
        await node.daemon.start()
        await node.daemon.says("PowerStateSet", since=mark, power="Up")
        assert node.orders == ["orderly"]


@pytest.mark.parametrize("time", ["whole", "exact"])
async def test_a_node_reports_and_sleeps_behind_a_gateway_whose_library_is_fixed(time: str) -> None:
    async with zos_node(start_neighbours=False) as (node, zos):
        zos.gateway.arguments = (*zos.gateway.arguments, "--time", time)
        await zos.start()
        await started(node)
        await node.target(Power.DOWN)
        await node.daemon.says("PowerOffOrdered")
        assert node.daemon.count("FaultRaised", key="clock-drift") == 0


async def test_r6_behind_the_real_gettime_a_chain_that_stands_still_powers_off_nothing() -> None:
    async with zos_node() as (node, _):
        unhealthy(node)  # or a report would keep the gateway's one worker busy
        await node.set_target(Power.DOWN)
        node.admin.ask("dev_holdBlocks", True)
        await node.daemon.start()
        await node.daemon.says("StayingUp", reason="not seen to make a block")
        assert node.orders == []
        node.admin.ask("dev_holdBlocks", False)
        await node.daemon.says("PowerOffOrdered")


async def test_a_sleeping_peer_is_woken_until_the_chain_shows_it_up() -> None:
    async with zos_node() as (node, _):
        await node.target(Power.DOWN, PEER)
        await node.peer_says(Power.DOWN)
        await started(node)
        await node.target(Power.UP, PEER)
        await node.daemon.says("WakeBurstStarted", node=PEER, attempt=2)
        await node.peer_says(Power.UP)
        await node.daemon.says("WakeEnded", node=PEER, outcome="awake")


async def test_a_peer_without_any_event_is_found_at_the_look_at_the_farm() -> None:
    async with zos_node() as (node, _):
        await node.set_target(Power.DOWN, PEER)
        await node.peer_says(Power.DOWN)
        await node.set_target(Power.UP, PEER)
        await started(node)
        await node.daemon.says("WakeBurstStarted", node=PEER)


@pytest.mark.parametrize("step", STEPS)
async def test_a_target_that_turns_up_at(step: str) -> None:
    async with zos_node() as (node, _):
        await started(node)
        await node.target(Power.DOWN)
        await node.daemon.says("ShutdownStep", step=step)
        await node.target(Power.UP)
        await node.daemon.says("ShutdownAborted")
        await node.until_state(Power.UP)


@pytest.mark.parametrize("step", STEPS)
async def test_stopped_in_the_middle_it_says_up(step: str) -> None:
    async with zos_node() as (node, _):
        await started(node)
        await node.target(Power.DOWN)
        await node.daemon.says("ShutdownStep", step=step)
        assert await node.daemon.stop() < STOPS_S
        if not node.orders:
            await node.until_state(Power.UP)


async def test_neighbours_that_come_up_late_are_waited_for_by_name() -> None:
    async with zos_node(start_neighbours=False) as (node, zos):
        await node.daemon.start()
        await node.daemon.says("OperationFailed", doing="ids", error="waiting for registrar")
        await zos.registrar.start()
        await node.daemon.says("OperationFailed", doing="ids", error="waiting for identityd")
        await zos.identityd.start()
        await node.daemon.says("OperationFailed", doing="uptime", error="api-gateway")
        await node.daemon.says("OperationFailed", doing="showing faults", error="zui")
        await zos.gateway.start()
        await node.daemon.says("UptimeReported")
        await node.daemon.says("FaultRaised", key="power-management", message="zinit.sock")
        await node.target(Power.DOWN)
        await node.daemon.says("StayingUp", reason="power management is not enabled")
        await zos.zui.start()
        await zos.console_shows("zinit.sock")
        await zos.zinit.start()
        await node.event(ME, Power.DOWN)
        await node.daemon.says("FaultCleared", key="power-management")
        await node.daemon.says("PowerOffOrdered")
        assert node.daemon.starts == 1


async def lose(victim: Neighbour, how: str) -> None:
    """It is gone, or seems to be there and does nothing."""
    if how == "killed":
        await victim.kill()
    else:
        victim.freeze()


async def bring_back(victim: Neighbour, how: str) -> None:
    """It serves again."""
    if how == "killed":
        await victim.start()
    else:
        victim.thaw()


@pytest.mark.parametrize("how", ["killed", "hung"])
async def test_neighbours_that_vanish_one_after_the_other_and_come_back(how: str) -> None:
    async with zos_node() as (node, zos):
        await started(node)
        for name in NEIGHBOURS:
            victim, mark = getattr(zos, name), node.daemon.mark()
            await lose(victim, how)
            await node.event(ME, Power.UP)
            if victim is zos.gateway:
                await node.daemon.says("OperationFailed", since=mark, error="api-gateway")
            else:
                await node.daemon.says("EventsHandled", since=mark)
            await bring_back(victim, how)
        await node.target(Power.DOWN)
        await node.daemon.says("PowerOffOrdered")
        assert node.daemon.starts == 1


@pytest.mark.parametrize("how", ["killed", "hung"])
@pytest.mark.parametrize("step", ["say down", "final", "uptime", "target"])
async def test_the_gateway_vanishes_in_the_middle_of_a_shutdown(step: str, how: str) -> None:
    async with zos_node() as (node, zos):
        await started(node)
        await node.target(Power.DOWN)
        await node.daemon.says("ShutdownStep", step=step)
        await lose(zos.gateway, how)
        await node.daemon.says("OperationFailed", error="api-gateway")
        orders = node.orders
        await bring_back(zos.gateway, how)
        await node.event(ME, Power.DOWN)
        await node.daemon.says("PowerOffOrdered")
        assert orders == [], "without the chain nothing is powered off"


@pytest.mark.parametrize("how", ["killed", "hung"])
async def test_all_other_neighbours_vanish_in_the_middle_of_a_shutdown(how: str) -> None:
    async with zos_node() as (node, zos):
        await started(node)
        await node.target(Power.DOWN)
        await node.daemon.says("ShutdownStep", step="final")
        for victim in (zos.registrar, zos.identityd, zos.zui):
            await lose(victim, how)
        await node.daemon.says("PowerOffOrdered")
        for victim in (zos.registrar, zos.identityd, zos.zui):
            await bring_back(victim, how)


async def test_zinit_vanishes_in_the_middle_of_a_shutdown() -> None:
    async with zos_node() as (node, zos):
        await started(node)
        await node.target(Power.DOWN)
        await node.daemon.says("ShutdownStep", step="final")
        await zos.zinit.kill()
        await node.daemon.says("OperationFailed", doing="powering off", error="zinit.sock")
        await zos.zinit.start()
        await node.daemon.says("PowerOffOrdered")


async def test_registration_in_progress_is_waited_for() -> None:
    async with zos_node(start_neighbours=False) as (node, zos):
        zos.registrar.arguments = (*zos.registrar.arguments, "--in-progress", "3")
        await zos.start()
        await node.daemon.start()
        await node.daemon.says("OperationFailed", doing="ids", error="registration is still in progress")
        await node.daemon.says("UptimeReported")
        assert node.daemon.count("OperationFailed", doing="ids") == 3


@pytest.mark.parametrize(
    ("version", "complaint"),
    [("v0.2.8", "can't power off"), ("v0.2.9-rc1", "can't power off"), ("unknown", "unknown")],
)
async def test_a_zinit_that_can_not_power_off_means_not_enabled(version: str, complaint: str) -> None:
    async with zos_node(start_neighbours=False, zinit=version) as (node, zos):
        await asyncio.gather(*(each.start() for each in zos.all if each is not zos.zinit))
        await node.target(Power.DOWN)
        await node.daemon.start()
        fault = await node.daemon.says("FaultRaised", key="power-management")
        assert complaint in fault["facts"]["message"]
        await node.daemon.says("StayingUp", reason="power management is not enabled")
        pushed = await zos.console_shows("will not power off")
        assert pushed["label"] == "powerd"
        assert (node.orders, await node.state()) == ([], Power.UP)


@pytest.mark.parametrize("answer", ["error", "garbage", "nothing", "hang", "close"])
async def test_a_zinit_that_fails_leaves_the_node_up_on_chain(answer: str) -> None:
    async with zos_node(start_neighbours=False, settings={"shutdown": {"retry_later_s": 600}}) as (node, zos):
        zos.zinit.arguments = (*zos.zinit.arguments, "--answer", answer)
        await zos.start()
        await started(node)
        await node.target(Power.DOWN)
        await node.daemon.says("FaultRaised", key="power-off")
        await node.daemon.says("PowerStateSet", power="Up")
        assert node.orders == ["forced"]
        await zos.console_shows("does not power off")
        await node.target(Power.UP)
        await node.daemon.says("FaultCleared", key="power-off")
        # R13: it said Down and stayed on, so what it reports is not credited until it was put to sleep and woken.
        await zos.console_shows("has not been credited since")


@pytest.mark.parametrize("zinit", ["v0.2.14", "v0.2.25"])
@pytest.mark.parametrize("answer", ["mute", "afterwards"])
async def test_stopped_while_zinit_has_an_order_and_does_not_answer_it_writes_nothing(zinit: str, answer: str) -> None:
    """The stop is zinit's own then, most likely: this machine goes down."""
    async with zos_node(start_neighbours=False, settings={"host_power": {"timeout_s": 30}}, zinit=zinit) as (node, zos):
        zos.zinit.arguments = (*zos.zinit.arguments, "--answer", answer)
        node.when_ordered_off("sleep 5" if answer == "afterwards" else "")
        await zos.start()
        await started(node)
        await node.target(Power.DOWN)
        await zos.zinit.says("order: shutdown")
        assert await node.daemon.stop() < STOPS_S
        assert await node.state() is Power.DOWN
        assert node.daemon.count("PowerStateSet", power="Up") == 0
        await zos.zinit.kill()
        zos.zinit.arguments = zos.zinit.arguments[:-2]
        await zos.zinit.start()
        mark = node.daemon.mark()
        await node.target(Power.UP)
        await node.daemon.start()
        await node.daemon.says("PowerStateSet", since=mark, power="Up")


async def test_stopped_while_zinit_does_not_answer_a_question_it_says_up() -> None:
    async with zos_node(start_neighbours=False, settings={"host_power": {"timeout_s": 30}}) as (node, zos):
        zos.zinit.arguments = (*zos.zinit.arguments, "--answer", "hang")
        await zos.start()
        await started(node)
        await node.target(Power.DOWN)
        await zos.zinit.says("question: list")
        assert await node.daemon.stop() < STOPS_S
        await node.until_state(Power.UP)
        assert node.orders == []


async def test_an_unhealthy_node_is_shown_and_looked_at_again() -> None:
    async with zos_node({"uptime": {"unhealthy_retry_s": 0.3}}) as (node, zos):
        flag = unhealthy(node)
        await node.daemon.start()
        await node.daemon.says("UptimeSkipped")
        await zos.console_shows("readonly-cache")
        flag.unlink()
        await node.daemon.says("UptimeReported")
        await node.daemon.says("FaultCleared", key="unhealthy")


async def test_no_call_is_left_on_the_gateways_list_by_a_daemon_that_is_stopped() -> None:
    async with zos_node() as (node, zos):
        await started(node)
        zos.gateway.freeze()
        await node.event(ME, Power.DOWN)
        await node.daemon.says("OperationFailed", error="api-gateway")
        assert await node.daemon.stop() < STOPS_S
        with hand(node.redis.url()) as redis:
            assert redis.llen("api-gateway.api-gateway@0.0.1") == 0
            assert not [key for key in redis.keys("*") if b"stream" not in key and not key.startswith(b"powerd:")]
        zos.gateway.thaw()


async def test_a_full_redis_is_reported_and_survived() -> None:
    async with zos_node({"power_management": {"reconcile_interval_s": 0.5}}) as (node, _):
        await started(node)
        with hand(node.redis.url()) as redis:
            redis.config_set("maxmemory", 1)
            await node.daemon.says("OperationFailed", error="maxmemory")
            assert node.daemon.running
            redis.config_set("maxmemory", 0)
        await node.target(Power.DOWN)
        await node.daemon.says("PowerOffOrdered")


async def test_a_list_of_the_neighbours_that_is_no_list_is_survived() -> None:
    async with zos_node() as (node, _):
        with hand(node.redis.url()) as redis:
            for key in ("power.power@0.0.1", "zui.zui@0.0.1"):
                redis.delete(key)
                redis.set(key, "nonsense")
            await started(node)
            await node.daemon.says("OperationFailed", doing="showing faults", error="WRONGTYPE")
            redis.delete("power.power@0.0.1", "zui.zui@0.0.1")
        await node.target(Power.DOWN)
        await node.daemon.says("PowerOffOrdered")


async def test_text_that_is_no_utf_8_ends_nothing() -> None:
    async with zos_node() as (node, _):
        holds = node.directory / "holds"
        holds.mkdir()
        (holds / "backup.json").write_text('{"reason": "\\udcff", "expires_at_s": null}')
        await started(node)
        await node.target(Power.DOWN)
        await node.daemon.says("StayingUp", reason="held by backup")
        (holds / "backup.json").unlink()
        await node.daemon.says("PowerOffOrdered")
