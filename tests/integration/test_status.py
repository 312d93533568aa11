"""``powerd status`` as an operator runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.domain.model import Power
from app.entrypoints.demo.installation import program
from tests.rigs.node import node_rig
from tests.rigs.node_settings import PEER
from tests.rigs.status import status

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]


async def test_what_a_node_believes_and_does() -> None:
    async with node_rig(settings={"wake": {"retry_delay_s_min": 60, "retry_delay_s_max": 60}}) as node:
        await node.target(Power.DOWN, PEER)
        await node.peer_says(Power.DOWN)
        holds = node.directory / "holds"
        holds.mkdir()
        (holds / "operator.json").write_text(json.dumps({"holder": "operator", "reason": "a new disk"}))
        await node.daemon.start()
        await node.daemon.says("UptimeReported")
        await node.target(Power.DOWN)
        await node.daemon.says("StayingUp", reason="held by")
        await node.target(Power.UP, PEER)
        await node.daemon.says("WakeBurstStarted", node=PEER)
        told = await status(node)
        assert "node         1 of farm 1 (twin 2)" in told
        assert "target Down, state Up, block" in told
        assert "power-off    enabled" in told
        assert "staying up   held by operator: a new disk" in told
        assert "waking       node 2: " in told
        shown = json.loads(await status(node, "--json"))
        assert shown["Holds"][0]["Holder"] == "operator"
        assert shown["LastUptime"]["TakenAt"] > 0


async def test_before_it_knows_who_it_is() -> None:
    async with node_rig(profile="zos", start_neighbours=False) as node:
        await node.daemon.start()
        await node.daemon.says("OperationFailed", doing="ids")
        assert "waiting      waiting for registrar" in await status(node)


def test_without_a_daemon_it_says_so(tmp_path: Path) -> None:
    import subprocess

    done = subprocess.run(
        [program("powerd"), "--broker", f"unix://{tmp_path}/no.sock", "status"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "no daemon answers" in done.stderr
    assert "--broker" in done.stderr
    assert "Traceback" not in done.stderr
