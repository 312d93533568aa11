"""The daemon as a process: kept up by the boot-loop guard, as the last waker, or since no node could wake it; asleep
with the clock's alarm set."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from app.domain.model import Power
from app.entrypoints.demo.installation import program
from tests.rigs.node import node_rig
from tests.rigs.node_settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

LONG_S = 1e9
"""Longer than this machine has been up."""


async def test_the_boots_in_the_file_end_a_boot_loop() -> None:
    settings = {"boot_loop": {"stay_s_min": LONG_S, "stay_s_max": LONG_S, "long_sleep_s": LONG_S}}
    async with node_rig(settings=settings) as node:
        await node.started()
        await node.target(Power.DOWN)
        await node.sleeps()
        file = node.directory / "boots.json"
        file.write_text(json.dumps({"boot_id": "another boot", "unwanted": 2, "awake_at_s": time.time()}))
        await node.daemon.start()
        fault = await node.daemon.says("FaultRaised", key="boot-loop")
        assert "booted 3 times in a row" in fault["facts"]["message"]
        await node.daemon.says("StayingUp", reason="booted 3 times in a row")
        await node.until_state(Power.UP)
        assert json.loads(file.read_text())["unwanted"] == 3
        await node.target(Power.UP)
        await node.daemon.says("FaultCleared", key="boot-loop")


async def test_the_clocks_alarm_is_set_before_the_power_off_and_cleared_at_the_start(tmp_path: Path) -> None:
    alarm, own = tmp_path / "wakealarm", tmp_path / "alarm.json"
    (tmp_path / "since_epoch").write_text("1700000000\n")
    alarm.write_text("1700000600\n")
    own.write_text('{"set_s": 1700000600, "displaced_s": null}')
    async with node_rig(settings=with_alarm(tmp_path)) as node:
        await node.started()
        assert alarm.read_text() == "0"
        await node.target(Power.DOWN)
        await node.sleeps()
        assert alarm.read_text() == str(1_700_000_000 + 82_800)
        assert json.loads(own.read_text()) == {"set_s": 1_700_000_000 + 82_800, "displaced_s": None}


async def test_an_earlier_alarm_of_another_program_survives_the_start_and_the_power_off(tmp_path: Path) -> None:
    alarm = tmp_path / "wakealarm"
    (tmp_path / "since_epoch").write_text("1700000000\n")
    alarm.write_text("1700003600\n")
    async with node_rig(settings=with_alarm(tmp_path)) as node:
        await node.started()
        await node.target(Power.DOWN)
        await node.sleeps()
        await node.daemon.says("AlarmLeft", due_in_s=3600)
        assert alarm.read_text() == "1700003600\n"


def with_alarm(directory: Path) -> Settings:
    return {"rtc_alarm": {"enabled": True, "device": str(directory), "file": str(directory / "alarm.json")}}


async def test_r14_where_a_proved_wake_is_required_a_trial_lets_it_sleep_and_the_wake_is_remembered() -> None:
    async with node_rig(
        settings={"power_management": {"require_proved_wake": True, "reconcile_interval_s": 1}}
    ) as node:
        await node.started()
        await node.target(Power.DOWN)
        await node.daemon.says("StayingUp", reason="no wake of this node was seen yet")
        trial = [program("powerd"), "--config", str(node.directory / "powerd.toml"), "check", "--trial"]
        process = await asyncio.create_subprocess_exec(*trial, stdout=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
        assert b"this node may power off though no wake of it was proved" in said
        await node.sleeps()
        await node.target(Power.UP)
        await node.blocks_pass(2)
        node.boots()
        await node.daemon.start()
        await node.daemon.says("WakeProved")
        await node.until_state(Power.UP)


GUARDED = {"power_management": {"last_waker_guard": True, "reconcile_interval_s": 1}}


async def test_the_last_waker_stays_up_and_says_so_until_another_gives_a_sign_of_life() -> None:
    async with node_rig(settings=GUARDED) as node:
        await node.started()
        await node.target(Power.DOWN)
        await node.daemon.says("StayingUp", reason="no other node of the farm is known to be awake")
        assert node.orders == []
        await node.peer_says(Power.DOWN)
        await node.peer_says(Power.UP)
        await node.sleeps()


async def test_r14_a_farm_of_one_stays_up_and_says_so() -> None:
    async with node_rig(settings=GUARDED, nodes=1) as node:
        await node.started()
        await node.target(Power.DOWN)
        await node.daemon.says("StayingUp", reason="no other node of the farm could wake this one")
        assert node.orders == []


async def test_r14_a_node_that_is_called_up_and_gives_no_sign_of_life_is_called_and_is_a_fault() -> None:
    settings: Settings = {
        "power_management": {"sign_of_life_s": 4, "reconcile_interval_s": 0.5},
        "wake": {"call_silent": True},
    }
    async with node_rig(settings=settings) as node:
        await node.started()
        fault = await node.daemon.says("FaultRaised", key="node-2-silent")
        assert "node 2 is Up on chain, with target Up" in fault["facts"]["message"]
        await node.daemon.says("WakeBurstStarted", node=2, reason="it gives no sign of life")
        await node.peer_says(Power.DOWN)
        await node.daemon.says("FaultCleared", key="node-2-silent")


async def test_r14_with_another_mac_on_chain_than_its_cards_it_stays_up_and_names_both() -> None:
    async with node_rig(settings={"nic": {"mac": "02:00:00:00:77:77"}}) as node:
        await node.started()
        await node.target(Power.DOWN)
        await node.daemon.says("StayingUp", reason="power management is not enabled: other nodes would call node 1 by")
        fault = await node.daemon.says("FaultRaised", key="power-management")
        assert "02:00:00:00:77:77" in fault["facts"]["message"]
        assert "its address on chain" in fault["facts"]["message"]
        assert node.orders == []
