"""The real daemon and the real follower as processes: a node goes to sleep, and is woken again."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.adapters.files.key_file import read_seed
from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.power_targets import SubstratePowerTargets
from app.domain.model import HeadKind, NodeId, Power
from app.entrypoints.demo.farm_on_loopback import farm_on_loopback
from app.entrypoints.demo.scenario import Scenario
from tests.rigs.program import STOPS_S

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]


@pytest.fixture
def directory() -> Iterator[Path]:
    """Short, since unix sockets live in it."""
    with tempfile.TemporaryDirectory(prefix="powerd-") as name:
        yield Path(name)


@pytest.mark.parametrize("profile", ["systemd", "zos"])
async def test_a_node_sleeps_and_is_woken_by_its_peer(directory: Path, profile: str) -> None:
    told: list[str] = []
    async with farm_on_loopback(directory, 2, None, profile) as farm:
        client = SubstrateClient([farm.chain_url])
        targets = SubstratePowerTargets(client, seed=read_seed(farm.farmer_key), key_type="sr25519")
        scenario = Scenario(farm, SubstrateChain(client), targets, told.append)
        try:
            await scenario.boot_all()
            await scenario.sleep([2])
            machine = farm.machines[2]
            assert [number for number, each in farm.machines.items() if each.on] == [1]
            assert machine.uptime_reports() == 3, "one at boot, one before Down, one right before the power-off"
            await scenario.wake([2])
            assert machine.boots == 2
            reading = await scenario.chain.powers([NodeId(2)], HeadKind.BEST)
            assert getattr(reading.powers[NodeId(2)], "state", None) is not None
        finally:
            await client.close()
    assert not [machine for machine in farm.machines.values() if machine.on]


async def test_sigterm_ends_daemon_and_follower_within_five_seconds(directory: Path) -> None:
    # A second node, awake: a farm's only node would not sleep.
    async with farm_on_loopback(directory, 2, None) as farm:
        client = SubstrateClient([farm.chain_url])
        scenario = Scenario(farm, SubstrateChain(client), None, print)  # type: ignore[arg-type]  # no target is set
        try:
            await scenario.boot_all()
            machine = farm.machines[1]
            loop = asyncio.get_running_loop()
            asked_at = loop.time()
            await machine.power_off()
            assert loop.time() - asked_at < STOPS_S
            assert machine.exit_codes == [0, 0]
        finally:
            await client.close()
    for daemon in machine.daemons:
        log = machine.log(daemon).read_text()
        assert "Traceback" not in log
        assert "stopped" in log


async def test_the_state_is_up_on_chain_after_the_daemon_was_stopped_in_the_middle_of_a_shutdown(
    directory: Path,
) -> None:
    # A second node, awake: a farm's only node would not sleep.
    async with farm_on_loopback(directory, 2, None) as farm:
        client = SubstrateClient([farm.chain_url])
        chain = SubstrateChain(client)
        targets = SubstratePowerTargets(client, seed=read_seed(farm.farmer_key), key_type="sr25519")
        scenario = Scenario(farm, chain, targets, print)
        try:
            await scenario.boot_all()
            machine = farm.machines[1]
            await targets.set_power_target(NodeId(1), Power.DOWN)
            await scenario.until_state(1, Power.DOWN)
            assert machine.on, "it is still waiting for finality"
            await machine.power_off()
            await scenario.until_state(1, Power.UP)
        finally:
            await client.close()
