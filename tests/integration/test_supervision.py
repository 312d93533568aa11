"""The daemon under a service manager, through a real notify socket: ready, prolonged, hung and started again."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from app.domain.model import Power
from tests.rigs.node import Node, node_rig
from tests.rigs.node_settings import ME, Settings
from tests.rigs.service_manager import notify_socket
from tests.slowness import patient

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

SHORT_STEPS: Settings = {
    "supervision": {"stuck_after_s": 4 + patient(1)},
    "chain": {"timeout_s": 0.5, "inclusion_timeout_s": 0.5},
    "host_power": {"timeout_s": 0.2},
    "shutdown": {"uptime_deadline_s": 0.2},
    "uptime": {"first_report_wait_s": 0.1},
}
"""So that a loop counts as hung within seconds, though a read of the event stream waits for three."""


def hang_on_request(node: Node) -> Path:
    """The file that says how its daemon hangs."""
    file = node.directory / "hang"
    node.daemon.command = [sys.executable, "-m", "tests.rigs.powerd_that_hangs", str(file), *node.daemon.command[1:]]
    return file


async def test_a_start_that_waits_is_prolonged_and_is_ready_once_the_node_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with notify_socket(tmp_path, monkeypatch) as systemd, node_rig(profile="zos", start_neighbours=False) as node:
        await node.daemon.start()
        for _ in range(3):
            said = await systemd.next()
            assert int(said["EXTEND_TIMEOUT_USEC"]) > 30e6
            assert "READY" not in said
        assert "waiting to know which node this is" in said["STATUS"]
        assert node.zos is not None
        await node.zos.start()
        await systemd.until(READY="1", WATCHDOG="1", STATUS="up, as its target says")
        await node.daemon.stop()
        await systemd.until(STOPPING="1", STATUS="stopping on SIGTERM")


async def test_a_daemon_that_hangs_is_ended_and_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with notify_socket(tmp_path, monkeypatch) as systemd, node_rig() as node:
        hang = hang_on_request(node)
        await node.daemon.start()
        await systemd.until(READY="1", STATUS="up, as its target says")
        hang.write_text("process")
        await node.event(ME, Power.UP)
        await systemd.end_when_it_is_silent(node.daemon)
        assert await node.daemon.ended() == -signal.SIGABRT
        # Its threads' stacks say where it hung.
        assert any("powerd_that_hangs.py" in said["message"] for said in node.daemon.said)
        hang.unlink()
        await node.daemon.start()
        await systemd.until(READY="1", STATUS="up, as its target says")


async def test_a_daemon_whose_loop_hangs_says_where_and_ends_though_its_event_loop_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with notify_socket(tmp_path, monkeypatch) as systemd, node_rig(settings=SHORT_STEPS) as node:
        hang = hang_on_request(node)
        await node.daemon.start()
        await systemd.until(READY="1", STATUS="up, as its target says")
        hang.write_text("loop")
        await node.event(ME, Power.UP)
        said = await systemd.until(WATCHDOG="trigger")
        assert "the loop that looks at itself has made no progress" in said["STATUS"]
        # systemd would end it now; elsewhere (zinit) it ends by itself.
        assert await node.daemon.ended() == 1
        ran = await node.daemon.says("WhatRuns")
        assert any(task.startswith("reconcile self: ") for task in ran["facts"]["tasks"])
        hang.unlink()
        await node.daemon.start()
        await systemd.until(READY="1")
