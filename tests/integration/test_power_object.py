"""Module ``power`` of the real daemon, called over a real Redis as another program calls it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from app import __version__
from app.adapters.codecs.go_types import NANOSECONDS, UINT32, decode
from app.adapters.files.holds import FileHolds
from app.adapters.linux.clock import SystemClock
from app.adapters.linux.host_facts import LinuxHostFacts
from app.adapters.zbus.client import CallFailed, CallRefused, ZbusClient
from app.adapters.zbus.domain_events import CHANNEL
from app.adapters.zbus.neighbours import Remote, RemoteMethod
from app.adapters.zbus.power_object import DOMAIN_EVENT, MODULE, OBJECT, STATE, UPTIME
from app.domain.model import Hold, Power
from tests.rigs.node import Node, node_rig
from tests.rigs.node_settings import ME, PEER
from tests.rigs.program import PATIENCE_S
from tests.rigs.redis import hand
from tests.slowness import patient

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

POWER = Remote(MODULE, OBJECT)
STATE_OF = RemoteMethod(POWER, "State", (), STATE)
RECONCILE = RemoteMethod(POWER, "Reconcile", (), None)
REPORT_UPTIME = RemoteMethod(POWER, "ReportUptime", (), UPTIME)
WAKE = RemoteMethod(POWER, "Wake", (UINT32,), None)


@dataclass
class Running:
    node: Node
    client: ZbusClient

    async def call(self, method: RemoteMethod, *arguments: Any) -> Any:
        return await self.client.call(method, *arguments, timeout_s=patient(20))

    async def state(self) -> Mapping[str, Any]:
        state: Mapping[str, Any] = await self.call(STATE_OF)
        return state

    async def looked(self) -> None:
        """It has looked at itself again."""
        mark = self.node.daemon.mark()
        await self.call(RECONCILE)
        await self.node.daemon.says("Reconciled", since=mark, trigger="itself")

    async def until_state(self, **wanted: object) -> None:
        """Let it look until it says so: a look that was under way may end after what it did not see."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                state = await self.state()
                if all(state[field] == value for field, value in wanted.items()):
                    return
                await self.looked()


@asynccontextmanager
async def rig(**options: Any) -> AsyncIterator[Running]:
    async with node_rig(**options) as node:
        client = ZbusClient(node.redis.url())
        try:
            yield Running(node, client)
        finally:
            await client.close()


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[Running]:
    async with rig() as made:
        await made.node.daemon.start()
        await made.node.daemon.says("UptimeReported")
        await made.node.daemon.says("Reconciled", trigger="itself")
        yield made


async def test_the_state_says_which_node_it_is_and_what_it_saw(running: Running) -> None:
    await running.looked()
    state = await running.state()
    assert (state["Version"], state["WaitingFor"]) == (__version__, "")
    assert (state["Node"], state["Farm"]) == (ME, running.node.chain.about["farm_id"])
    assert state["Twin"] > 0
    assert (state["Enabled"], state["NotEnabled"]) == (True, "")
    assert (state["Target"], state["Power"], state["DownSince"]) == ("Up", "Up", 0)
    assert state["Block"] > 0
    assert abs(state["LookedAt"] - time.time()) < 30
    assert abs(state["LastUptime"]["TakenAt"] + state["LastUptime"]["Age"] - time.time()) < patient(10)
    assert 0 <= state["LastUptime"]["Uptime"] < patient(60), "the rig's machine booted just before"
    assert (state["StayingUp"], state["Shutdown"], state["Holds"], state["Faults"]) == ("", "", (), ())


async def test_a_hold_is_in_the_state_with_what_it_brings_about(running: Running) -> None:
    holds = FileHolds(running.node.directory / "holds", SystemClock(), LinuxHostFacts(running.node.directory))
    holds.place(Hold("backup", "copies", None))
    mark = running.node.daemon.mark()
    await running.node.target(Power.DOWN)
    await running.node.daemon.says("StayingUp", since=mark, reason="held by backup: copies")
    state = await running.state()
    assert [(hold["Holder"], hold["Reason"], hold["ExpiresAt"]) for hold in state["Holds"]] == [("backup", "copies", 0)]
    assert (state["Target"], state["StayingUp"]) == ("Down", "held by backup: copies")
    mark = running.node.daemon.mark()
    await running.node.target(Power.UP)
    await running.node.daemon.says("EventsHandled", since=mark)
    holds.lift("backup")
    await running.until_state(StayingUp="")


async def test_reports_asked_for_at_once_are_one_extrinsic(running: Running) -> None:
    before = running.node.extrinsics()
    one, other = await asyncio.gather(running.call(REPORT_UPTIME), running.call(REPORT_UPTIME))
    assert one == other
    assert abs(one["TakenAt"] - time.time()) < patient(20)
    assert running.node.extrinsics() == before + 1
    assert (await running.state())["LastUptime"]["TakenAt"] == one["TakenAt"]


async def test_a_node_that_is_not_healthy_refuses_to_report(running: Running) -> None:
    flags = running.node.directory / "flags"
    flags.mkdir(exist_ok=True)
    (flags / "readonly-cache").touch()
    with pytest.raises(CallFailed, match=r"not healthy \(.*readonly-cache"):
        await running.call(REPORT_UPTIME)
    state = await running.state()
    assert any("readonly-cache" in problem for problem in state["Unhealthy"])
    assert "unhealthy" in [fault["Key"] for fault in state["Faults"]]
    (flags / "readonly-cache").unlink()
    await running.call(REPORT_UPTIME)
    assert (await running.state())["Faults"] == ()


async def test_a_peer_is_woken_on_a_wish(running: Running) -> None:
    mark = running.node.daemon.mark()
    await running.call(WAKE, PEER)
    await running.node.daemon.says("WakeBurstStarted", since=mark, node=PEER)
    (wake,) = (await running.state())["Wakes"]
    assert (wake["Node"], wake["Reason"], wake["Overdue"]) == (PEER, "an operator's request", False)


async def test_a_node_that_can_not_be_woken_is_refused_with_the_reason(running: Running) -> None:
    for refused in (ME, 404):
        with pytest.raises(CallFailed, match=f"node {refused} is not another node of farm"):
            await running.call(WAKE, refused)
    await running.node.set_target(Power.DOWN, PEER)
    with pytest.raises(CallFailed, match="the target of node 2 is Down; set it to Up first"):
        await running.call(WAKE, PEER)


async def test_what_happens_is_published(running: Running) -> None:
    with hand(running.node.redis.url()) as redis, redis.pubsub() as heard:
        heard.subscribe(CHANNEL)
        assert heard.get_message(timeout=patient(20))["type"] == "subscribe"
        await running.call(REPORT_UPTIME)
        kinds: dict[str, Any] = {}
        while "UptimeReported" not in kinds:
            message = await asyncio.to_thread(heard.get_message, timeout=patient(20))
            assert message is not None, kinds
            event = decode(DOMAIN_EVENT, message["data"], "it")
            kinds[event["Kind"]] = event
    told = kinds["UptimeReported"]
    assert CHANNEL == "power.power@0.0.1.DomainEvents"
    assert told["Message"]
    assert told["Facts"]
    assert abs(told["Time"] / NANOSECONDS - time.time()) < 30


@pytest.mark.parametrize("name", ["PowerOff", "Shutdown", "Down", "SetTarget", "DomainEvents"])
async def test_nothing_that_is_called_powers_the_node_off(running: Running, name: str) -> None:
    with pytest.raises(CallRefused, match="not a function"):
        await running.call(RemoteMethod(POWER, name, (), None))
    assert running.node.orders == []


async def test_before_it_is_known_who_the_node_is_wishes_are_refused_and_the_state_says_why() -> None:
    async with rig(profile="zos", start_neighbours=False) as waiting:
        zos = waiting.node.zos
        assert zos is not None
        await asyncio.gather(*(each.start() for each in zos.all if each is not zos.registrar))
        await waiting.node.daemon.start()
        await waiting.node.daemon.says("OperationFailed", doing="ids", error="waiting for registrar")
        state = await waiting.state()
        assert "registrar" in state["WaitingFor"]
        assert (state["Node"], state["Enabled"], state["Target"]) == (0, False, "")
        for wish in (waiting.call(WAKE, PEER), waiting.call(RECONCILE), waiting.call(REPORT_UPTIME)):
            with pytest.raises(CallFailed, match="registrar"):
                await wish
        await zos.registrar.start()
        await waiting.node.daemon.says("UptimeReported")
        assert (await waiting.state())["Node"] == ME
