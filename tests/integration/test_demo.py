"""``powerd demo`` where settings of a real powerd are in the environment, and what a broken scene says."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from app.domain.model import Mac, NodeId, Power
from app.entrypoints.demo.farm_on_loopback import Farm
from app.entrypoints.demo.installation import program
from app.entrypoints.demo.machine import MAGIC_HEAD, Daemon, Machine
from app.entrypoints.demo.scenario import NotPlayed, Scenario
from app.entrypoints.demo.show import to_try
from app.entrypoints.powerd.cli import main as powerd
from tests.rigs.program import PATIENCE_S
from tests.rigs.virtual_time import run_virtually

pytestmark = pytest.mark.timeout(240)

MAC = Mac.parse("02:00:00:00:00:01")
PACKET = MAGIC_HEAD + MAC.octets * 16


async def heard_until(output: asyncio.StreamReader, text: str) -> list[str]:
    """What was printed up to a line with this text."""
    told: list[str] = []
    async with asyncio.timeout(2 * PATIENCE_S):
        while not told or text not in told[-1]:
            line = await output.readline()
            assert line, told
            told.append(line.decode())
    return told


@pytest.mark.anyio
async def test_settings_of_a_real_powerd_in_the_environment_reach_no_node_and_nothing_outlives_the_demo(
    tmp_path: Path,
) -> None:
    witness = tmp_path / "witness"
    real = {
        "POWERD_CHAIN_URLS": "ws://127.0.0.1:1",
        "POWERD_BROKER_URL": "tcp://127.0.0.1:1",
        "POWERD_PROFILE": "simulated",
        "POWERD_IDENTITY_KEY_FILE": str(tmp_path / "key"),
        "POWERD_HOST_POWER_POWER_OFF_COMMAND": f"touch {witness}",
        "POWERD_HOLDS_DIR": str(tmp_path),
        "POWERD_NO_SUCH_SETTING": "s3cret",
    }
    process = await asyncio.create_subprocess_exec(
        *(program("powerd"), "demo"), env={**os.environ, **real, "TMPDIR": "/tmp"}, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        told = await heard_until(process.stdout, "node 2 sleeps:")
        assert "POWERD_CHAIN_URLS" in told[0]
        assert "s3cret" not in "".join(told)
        assert "state Down on chain" in told[-1]
        assert not witness.exists()
        directory = next(line.split("logs in ")[1].strip() for line in told if "logs in " in line)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    assert plain_files_only(Path(directory)), "to be read by anyone who looks for a fault"
    async with asyncio.timeout(PATIENCE_S):
        while users_of(directory):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    subprocess.run(["rm", "-r", directory], check=True)  # noqa: ASYNC221


def plain_files_only(directory: Path) -> bool:
    return not any(each.is_fifo() for each in directory.rglob("*"))


def users_of(directory: str) -> Sequence[str]:
    """Processes that were given something in it; neither this one nor the one that ends them."""
    found = subprocess.run(["pgrep", "-af", directory], capture_output=True, text=True, check=False).stdout
    return [line for line in found.splitlines() if "reaper.py" not in line]


class Farmer:
    """Sets nothing."""

    async def set_power_target(self, node: NodeId, target: Power) -> None:
        await asyncio.sleep(1)


def machines(directory: Path, *on: int) -> dict[int, Machine]:
    """Three without daemons; nothing boots or ends in them by itself."""
    made = {node: Machine(node, MAC, [Daemon("powerd", ["true"])], directory, on=node in on) for node in (1, 2, 3)}
    for machine in made.values():
        machine.log(machine.daemons[0]).write_text(f"12:00 INFO fine\n12:01 WARNING node {machine.node} is unwell\n")
    return made


def told_by(scene: Any, directory: Path, *on: int) -> tuple[list[str], Scenario]:
    """What a scenario says in which this one scene is played, in a farm where nodes ``on`` are on."""
    told: list[str] = []
    farm: Farm = SimpleNamespace(machines=machines(directory, *on), redis=None, directory=directory)  # type: ignore[assignment]
    scenario = Scenario(farm, None, Farmer(), told.append)  # type: ignore[arg-type]  # it gets no further

    async def play() -> None:
        await scenario._step("the scene", scene(scenario))

    run_virtually(play)
    return told, scenario


@pytest.mark.parametrize(
    ("scene", "on", "why"),
    [
        (lambda scenario: scenario.wake([2]), (1, 2, 3), "node 2 is not dark"),
        (lambda scenario: scenario.wake([2, 3]), (1, 3), "node 3 is not dark"),
        (lambda scenario: scenario.wake([2]), (), "no other node is on"),
        (lambda scenario: scenario.sleep([2]), (1, 3), "node 2 is dark"),
        (lambda scenario: scenario.sleep([2]), (2,), "no other node is on"),
        (lambda scenario: scenario.wake_with_lost_burst(3), (1, 3), "node 3 is not dark"),
        (lambda scenario: scenario.crash_and_wake(2), (1,), "node 2 is dark"),
    ],
)
def test_a_scene_is_not_played_where_the_farm_is_not_as_it_needs(
    tmp_path: Path, scene: Any, on: Sequence[int], why: str
) -> None:
    told, scenario = told_by(scene, tmp_path, *on)
    assert f"NOT PLAYED: {why}" in told[0]
    assert why in scenario.broken[0]


def test_a_broken_scene_shows_the_last_warnings_of_its_node_and_where_they_are(tmp_path: Path) -> None:
    told, scenario = told_by(lambda scenario: scenario.sleep([2]), tmp_path, 1, 2, 3)
    assert "BROKEN: node 2 is off: not within" in told[0]
    assert [line.strip() for line in told[1:]] == [f"{tmp_path}/node-2-powerd.log:", "12:01 WARNING node 2 is unwell"]
    assert len(scenario.broken) == 1


def test_of_a_node_that_was_not_woken_those_who_should_have_done_it_are_heard(tmp_path: Path) -> None:
    told, _ = told_by(lambda scenario: scenario.wake([2]), tmp_path, 1)
    assert "BROKEN: node 2 hears a magic packet: not within" in told[0]
    assert [line.strip() for line in told if "unwell" in line] == [
        "12:01 WARNING node 1 is unwell",
        "12:01 WARNING node 2 is unwell",
    ]


def test_a_packet_from_before_the_target_was_set_is_no_answer_to_it(tmp_path: Path) -> None:
    async def scene(scenario: Scenario) -> str:
        machine = scenario.farm.machines[2]
        machine.first_heard_at_s = scenario._now() - 8.32
        setting = asyncio.create_task(scenario.wake([2]))
        await asyncio.sleep(0)
        machine.on = True  # by hand
        return await setting

    told, _ = told_by(scene, tmp_path, 1)
    assert "BROKEN: node 2 was on without a magic packet" in told[0]


def test_a_machine_that_is_on_hears_no_packet(tmp_path: Path) -> None:
    machine = machines(tmp_path, 2)[2]
    run_virtually(lambda: machine._hear(PACKET))
    assert (machine.packets_heard, machine.first_heard_at_s) == (0, None)


def test_a_scene_that_can_be_played_expects_nothing_else(tmp_path: Path) -> None:
    farm: Any = SimpleNamespace(machines=machines(tmp_path, 1, 2))
    scenario = Scenario(farm, None, Farmer(), print)  # type: ignore[arg-type]
    scenario._expect(on=[2])
    scenario._expect(dark=[3])
    with pytest.raises(NotPlayed):
        scenario._expect(on=[1, 2])


def test_what_the_demo_offers_to_try_are_commands_that_powerd_takes(tmp_path: Path) -> None:
    node = [program("powerd"), "--profile", "systemd", "--config", str(tmp_path / "node-3.toml")]
    machines = {each: SimpleNamespace(daemons=(Daemon("powerd", node),)) for each in (1, 3)}
    farm: Any = SimpleNamespace(
        chain_url="ws://127.0.0.1:9944", farmer_key=tmp_path / "farmer.key", machines=machines, directory=tmp_path
    )
    words = [shlex.split(each) for each in to_try(farm)]
    of_powerd = [rest for first, *rest in words if first == program("powerd")]
    assert {"list", "watch", "down", "up", "status", "hold", "check"} <= {word for rest in of_powerd for word in rest}
    for rest in of_powerd:
        done = CliRunner().invoke(powerd, [*rest, "--help"])
        assert done.exit_code == 0, done.output
        assert "Usage:" in done.output
        assert "[OPTIONS] COMMAND" not in done.output, f"{rest} names no command"
