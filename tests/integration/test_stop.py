"""A stop at any moment ends the daemon within 5 s, and the chain says Up of a node that stays up (R12)."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from app.domain.model import Power
from app.domain.rules.shutdown import Step
from tests.rigs.node import node_rig
from tests.rigs.node_settings import PEER
from tests.rigs.program import STOPS_S

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]


@pytest.mark.parametrize("step", [step.value for step in Step])
async def test_at_a_step_of_the_shutdown(step: str) -> None:
    async with node_rig() as node:
        await node.daemon.start()
        await node.daemon.says("UptimeReported")
        await node.target(Power.DOWN)
        await node.daemon.says("ShutdownStep", step=step)
        assert await node.daemon.stop() < STOPS_S
        if not node.orders:
            await node.until_state(Power.UP)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGHUP], ids=lambda by: str(by.name))
async def test_by_another_signal(by: signal.Signals) -> None:
    async with node_rig() as node:
        await node.started()
        await node.target(Power.DOWN)
        await node.daemon.says("ShutdownStep", step="final")
        assert await node.daemon.stop(by=by) < STOPS_S
        await node.until_state(Power.UP)


async def test_a_hangup_does_not_stop_what_nohup_started() -> None:
    async with node_rig() as node:
        node.daemon.command = ["nohup", *node.daemon.command]
        node.daemon.fresh = True
        await node.started()
        os.kill(node.daemon.pid, signal.SIGHUP)
        await node.daemon.account()


async def test_while_it_starts() -> None:
    async with node_rig() as node:
        for tenth in range(1, 13, 2):
            await node.daemon.start()
            await asyncio.sleep(tenth / 10)  # the moment itself is what is tried
            assert await node.daemon.stop(early=True) < STOPS_S


async def test_while_the_chain_hangs() -> None:
    async with node_rig("--endpoints", "2", urls=["{0}"]) as node:
        await node.daemon.start()
        await node.daemon.says("UptimeReported")
        with node.endpoint(0) as only:
            only.ask("dev_stopAnswering", True)
            await node.event(PEER, Power.UP)
            await node.daemon.says("OperationFailed")
            assert await node.daemon.stop() < STOPS_S


async def test_while_redis_hangs() -> None:
    async with node_rig() as node:
        await node.daemon.start()
        await node.daemon.says("UptimeReported")
        node.redis.freeze()
        assert await node.daemon.stop() < STOPS_S


async def test_while_it_wakes_a_peer() -> None:
    burst = {"packets": 100, "packet_interval_s": 1, "retry_delay_s_min": 100, "retry_delay_s_max": 100}
    async with node_rig(settings={"wake": burst}) as node:
        await node.target(Power.DOWN, PEER)
        await node.peer_says(Power.DOWN)
        await node.daemon.start()
        await node.target(Power.UP, PEER)
        await node.daemon.says("WakeBurstStarted", node=PEER)
        assert await node.daemon.stop() < STOPS_S


async def test_while_the_power_off_command_hangs() -> None:
    async with node_rig(settings={"host_power": {"timeout_s": 60}}) as node:
        node.when_ordered_off("sleep 60")
        await node.daemon.start()
        await node.target(Power.DOWN)
        await node.daemon.says("ShutdownStep", step="power off")
        assert await node.daemon.stop() < STOPS_S
