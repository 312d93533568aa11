"""The daemon as a process, while a hold keeps its machine up: from `powerd hold`, or an inhibitor of logind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.domain.model import Power
from tests.rigs.node import Node, node_rig
from tests.rigs.node_settings import ME
from tests.rigs.program_runs import run
from tests.slowness import patient

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]


@asynccontextmanager
async def node_with_logind(tmp_path: Path) -> AsyncIterator[Node]:
    """A started node on systemd, whose logind is a script of this directory."""
    logind_runs(tmp_path, inhibitors([]))
    holds = {"kind": "auto", "inhibitors_command": ["sh", str(tmp_path / "busctl")], "inhibitors_timeout_s": patient(5)}
    async with node_rig(settings={"holds": holds}) as node:
        await node.daemon.start()
        await node.daemon.says("UptimeReported")
        yield node


def logind_runs(tmp_path: Path, script: str) -> None:
    beside = tmp_path / "busctl.new"
    beside.write_text(script)
    beside.replace(tmp_path / "busctl")


def inhibitors(whos: Sequence[str]) -> str:
    rows = [["shutdown", who, "installs a kernel", "block", 0, 42] for who in whos]
    return f"echo '{json.dumps({'type': 'a(ssssuu)', 'data': [rows]})}'"


async def stays_up_until(node: Node, tmp_path: Path, reason: str) -> None:
    """Its target is Down and it does not go; then logind blocks nothing any more, and it goes."""
    await node.target(Power.DOWN)
    await node.daemon.says("StayingUp", reason=reason)
    assert (node.orders, await node.state()) == ([], Power.UP)
    logind_runs(tmp_path, inhibitors([]))
    await node.event(ME, Power.DOWN)
    await node.daemon.says("PowerOffOrdered")


async def test_a_hold_placed_from_the_command_line_keeps_the_node_up_until_it_is_lifted(tmp_path: Path) -> None:
    async with node_with_logind(tmp_path) as node:
        hold = ("--config", str(node.directory / "powerd.toml"), "--profile", "systemd", "hold")
        await asyncio.to_thread(run, *hold, "add", "backup", "--reason", "nightly copy", "--for", "1h")
        await node.target(Power.DOWN)
        await node.daemon.says("StayingUp", reason="held by backup: nightly copy")
        assert (node.orders, await node.state()) == ([], Power.UP)
        await asyncio.to_thread(run, *hold, "lift", "backup")
        await node.daemon.says("PowerOffOrdered")


async def test_an_inhibitor_of_logind_keeps_the_node_up_until_it_is_gone(tmp_path: Path) -> None:
    async with node_with_logind(tmp_path) as node:
        logind_runs(tmp_path, inhibitors(["apt"]))
        await stays_up_until(node, tmp_path, "held by apt (pid 42, uid 0): installs a kernel")


@pytest.mark.parametrize(
    ("script", "why"),
    [("echo nonsense", "printed no list of inhibitors"), ("exec sleep 60", "did not end within")],
    ids=["nonsense", "hangs"],
)
async def test_a_logind_that_does_not_tell_is_doubt(tmp_path: Path, script: str, why: str) -> None:
    async with node_with_logind(tmp_path) as node:
        logind_runs(tmp_path, script)
        await stays_up_until(node, tmp_path, why)


async def test_a_host_without_logind_sleeps_all_the_same(tmp_path: Path) -> None:
    async with node_with_logind(tmp_path) as node:
        logind_runs(tmp_path, "echo 'Failed to connect to bus: No such file or directory' >&2; exit 1")
        await node.target(Power.DOWN)
        await node.daemon.says("PowerOffOrdered")
