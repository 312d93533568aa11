"""``powerd status`` as an operator runs it: one screen, JSON, a check for scripts, and live."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from threading import Thread
from typing import IO

import pytest
from click.testing import CliRunner

from app.adapters.status_socket.client import StatusClient
from app.domain.model import Power
from app.domain.status import NodeStatus
from app.entrypoints.demo.installation import program, toml
from app.entrypoints.powerd.cli import main
from app.entrypoints.powerd.status.watching import follow
from tests.rigs.node import node_rig
from tests.rigs.node_settings import PEER, Settings
from tests.rigs.program import Program
from tests.rigs.program_runs import run
from tests.rigs.status import status
from tests.rigs.terminal import INTERRUPT, Terminal
from tests.slowness import patient

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

ENTER, LEAVE = b"\x1b[?1049h\x1b[?25l", b"\x1b[?25h\x1b[?1049l"
NOWHERE = "redis://127.0.0.1:9"


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
        assert told.startswith("up though its target is Down: held by operator: a new disk\n")
        assert "node         1 of farm 1 (twin 2)" in told
        assert "target Down, state Up, block" in told
        assert "power-off    enabled" in told
        assert "staying up   held by operator: a new disk" in told
        assert "hold         operator: a new disk (no end)" in told
        assert "waking       node 2: 1 bursts in " in told
        assert re.search(r"next report  in \d+ min", told)
        assert "waking a node: node 2" in told
        assert "\x1b" not in told
        shown = json.loads(await status(node, "--json"))
        assert shown["holds"][0]["holder"] == "operator"
        assert shown["last_uptime"]["taken_at_s"] > 0


async def test_before_it_knows_who_it_is() -> None:
    async with node_rig(profile="zos", start_neighbours=False) as node:
        await node.daemon.start()
        await node.daemon.says("OperationFailed", doing="ids")
        assert (await status(node)).startswith("waiting to know which node this is: waiting for registrar")


@asynccontextmanager
async def lonely_daemon(directory: Path) -> AsyncIterator[tuple[Program, Path]]:
    """A daemon without a Redis server, and without a chain."""
    config = directory / "powerd.toml"
    settings: Settings = {
        "broker": {"url": NOWHERE},
        "chain": {"urls": ["ws://127.0.0.1:9"]},
        "identity": {"kind": "configured", "node_id": 7},
        "boot_memory": {"file": str(directory / "boots.json")},
        "lock": {"dir": str(directory)},
        "status": {"socket": str(directory / "run" / "status.sock")},
        "metrics": {"kind": "off"},
        "log": {"format": "json"},
    }
    config.write_text(toml(settings))
    daemon = Program([program("powerd"), "--profile", "systemd", "--config", str(config)])
    try:
        await daemon.start()
        await daemon.says("OperationFailed", doing="ids")
        yield daemon, config
    finally:
        await daemon.end_if_running()


async def test_it_works_without_redis_and_without_the_chain(tmp_path: Path) -> None:
    async with lonely_daemon(tmp_path) as (daemon, config):
        told = await asyncio.to_thread(run, "--config", str(config), "status")
        assert told.returncode == 0
        assert told.stdout.startswith("waiting to know which node this is: ")
        assert "127.0.0.1:9" in told.stdout
        well = await asyncio.to_thread(run, "--config", str(config), "status", "--check")
        assert well.returncode == 0
        assert well.stdout.startswith("waiting to know")
        await daemon.stop()
        assert not (tmp_path / "run" / "status.sock").exists()
        gone = await asyncio.to_thread(run, "--config", str(config), "status", "--check")
        assert gone.returncode == 2
        assert "no daemon answers" in gone.stderr
        assert "status.socket" in gone.stderr
        assert "Traceback" not in gone.stderr


async def test_a_script_learns_of_a_fault() -> None:
    async with node_rig() as node:
        flags = node.directory / "flags"
        flags.mkdir()
        (flags / "readonly-cache").touch()
        await node.daemon.start()
        await node.daemon.says("FaultRaised", key="unhealthy")
        check = await asyncio.to_thread(run, "--config", str(node.directory / "powerd.toml"), "status", "--check")
        assert check.returncode == 1
        first, *faults = check.stdout.splitlines()
        assert first.endswith("; 1 fault: unhealthy")
        assert [line.split(": ")[0] for line in faults] == ["unhealthy"]
        shown = await status(node)
        assert re.search(r"FAULT        unhealthy, since .* ago; look at once", shown)
        assert "  what to do Fix what the flags name" in shown
        (fault,) = json.loads(await status(node, "--json"))["faults"]
        assert (fault["key"], fault["urgency"]) == ("unhealthy", "at once")
        assert fault["since_s"] > 1e9


# -- live ----------------------------------------------------------------------------------------------
async def test_live_on_a_terminal_it_follows_the_daemon_and_gives_the_terminal_back() -> None:
    async with node_rig() as node:
        await node.started()
        config = str(node.directory / "powerd.toml")
        terminal = Terminal({}, "--config", config, "status", "--watch", lines=30)
        await asyncio.to_thread(terminal.read_until, b"up, as its target says")
        await node.target(Power.DOWN, PEER)
        (node.directory / "holds").mkdir()
        (node.directory / "holds" / "me.json").write_text(json.dumps({"holder": "me", "reason": "a look"}))
        await node.target(Power.DOWN)
        await asyncio.to_thread(terminal.read_until, b"held by me")
        await node.daemon.stop()
        await asyncio.to_thread(terminal.read_until, b"no daemon answers")
        terminal.answer(INTERRUPT)
        assert await asyncio.to_thread(terminal.end) == 0
        assert ENTER in terminal.said
        assert terminal.said.endswith(LEAVE)


def test_on_a_small_terminal_no_line_is_too_long_and_in_a_pipe_a_change_is_a_line(tmp_path: Path) -> None:
    with simulated_daemon(tmp_path) as config:
        terminal = Terminal({}, "--config", config, "status", "--watch", lines=8, columns=40)
        terminal.read_until(b"make the window")
        terminal.answer(INTERRUPT)
        assert terminal.end() == 0
        command = [program("powerd"), "--config", config, "status", "--watch"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(2)]
            assert re.match(r"\d\d:\d\d:\d\d uptime reported: ", said[0])
            assert said[1] == "up, as its target says\n"
            process.send_signal(signal.SIGINT)
            assert process.wait(patient(60)) == 0
            assert process.stdout.read() == ""
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.wait(patient(60)) == 141
            assert process.stderr.read() == ""
    first = terminal.said.split(ENTER)[1].split(b"\x1b[J")[0].decode()
    rows = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", first).splitlines()
    assert len(rows) == 8
    assert max(map(len, rows)) <= 40


def test_ctrl_c_waits_for_no_daemon_that_hangs(tmp_path: Path) -> None:
    path = tmp_path / "status.sock"

    async def watch(daemon: socket.socket) -> None:
        client = StatusClient([path], answer_s=3600)
        watching = asyncio.ensure_future(follow(client, NodeStatus("1.2.3"), io.StringIO()))
        caller, _ = await asyncio.get_running_loop().sock_accept(daemon)
        with caller:
            os.kill(os.getpid(), signal.SIGINT)
            await watching

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as daemon:
        daemon.bind(str(path))
        daemon.listen()
        asyncio.run(watch(daemon))  # ends only when no thread of the loop is left


@contextmanager
def simulated_daemon(directory: Path) -> Iterator[str]:
    """A daemon of the profile ``simulated``, which needs nothing; its settings file."""
    config = directory / "powerd.toml"
    config.write_text(
        toml(
            {
                "lock": {"dir": str(directory)},
                "status": {"socket": str(directory / "status.sock")},
                "metrics": {"kind": "off"},
                "log": {"format": "json"},
            }
        )
    )
    command = [program("powerd"), "--profile", "simulated", "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as daemon:
        assert daemon.stderr is not None
        try:
            wait_for("UptimeReported", daemon.stderr)
            yield str(config)
        finally:
            daemon.terminate()


def wait_for(words: str, lines: IO[str]) -> None:
    assert any(words in line for line in lines)


# -- bad input -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("rubbish", [b"hello\n", b"\xff\n", b"[]\n", b"[" * 100_000 + b"\n"], ids=lambda text: text[:5])
@pytest.mark.parametrize("asked", ["", "--json", "--check"])
def test_what_is_no_status_is_said_in_one_line(tmp_path: Path, rubbish: bytes, asked: str) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()

        def answer() -> None:
            caller, _ = server.accept()
            with caller:
                caller.sendall(rubbish)

        Thread(target=answer, daemon=True).start()
        environment = {"POWERD_STATUS_SOCKET": str(tmp_path / "s")}
        done = CliRunner().invoke(main, ["status", *asked.split()], env=environment)
    assert done.exit_code == 2
    assert re.fullmatch(r"powerd: the daemon's answer is not understood: .*\n", done.output)


def test_two_ways_of_showing_it_are_refused() -> None:
    done = run("status", "--json", "--check")
    assert done.returncode == 2
    assert "give one of them" in done.stderr
