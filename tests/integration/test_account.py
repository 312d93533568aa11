"""SIGUSR1: an operator asks the running programs what runs in them."""

from __future__ import annotations

import pytest

from tests.rigs.node import node_rig

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]


async def test_the_daemon_logs_its_tasks_threads_and_descriptors_and_goes_on() -> None:
    async with node_rig() as node:
        await node.daemon.start()
        await node.daemon.says("UptimeReported")
        account = await node.daemon.account()
        names = {task.partition(": ")[0] for task in account["tasks"]}
        assert {"events", "event handler", "uptime", "wakes", "reconcile farm", "reconcile self"} <= names
        assert "event handler: Trigger.wait" in account["tasks"], "where each one waits"
        assert "MainThread" in account["threads"]
        assert [each for each in account["descriptors"] if each.startswith("socket:")]
        assert not [each for each in account["descriptors"] if each.startswith("/proc/")]
        assert (await node.daemon.account())["tasks"]
        await node.daemon.stop()


async def test_the_follower_logs_them_too() -> None:
    async with node_rig() as node:
        await node.follower.start()
        await node.follower.says("this is node 1 of farm 1 (twin 2)")
        assert [task for task in (await node.follower.account())["tasks"] if task.startswith("work: ")]
        await node.follower.stop()
