"""``powerd farm`` where the chain's endpoints answer too little or too old: it says so, and no node goes dark."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.adapters.simulated.pallet import StoredPower
from app.entrypoints.devchain.endpoint import Endpoint
from app.entrypoints.devchain.server import listening
from tests.rigs.chain.in_process import ChainWorld, chain_world
from tests.rigs.program_runs import run
from tests.rigs.scripted_node import Refusal

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

HOUR_S = 3600.0


@dataclass(frozen=True)
class Rig:
    """A farm of three, its farmer's key, and the farmer at the command line."""

    world: ChainWorld
    key: Path

    async def run(self, *arguments: str, url: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "POWERD_CHAIN_URLS": url or self.world.url,
            "POWERD_FARMER_KEY_FILE": str(self.key),
            "XDG_CACHE_HOME": str(self.key.parent),
            **more,
        }
        return await asyncio.to_thread(lambda: run("farm", *arguments, **environment))

    @property
    def paid(self) -> int:
        return int(self.world.ledger.read("Nonce", self.world.farm.farmer.public_key, default=0))

    async def forgetful(self, kept: int) -> str:
        """The URL of an endpoint of this chain that keeps the state of this number of blocks."""
        proxy = await self.world.proxy()

        def answer(keys: list[str], block_hash: str = "") -> object:
            block = self.world.ledger.by_hash(block_hash or self.world.ledger.best.hash)
            assert block is not None
            if block.number < self.world.ledger.best_number - kept:
                return Refusal(-32000, "State already discarded")
            return [{"block": block.hash, "changes": [[key, self.world.stored(key, block.hash)] for key in keys]}]

        proxy.answers["state_queryStorageAt"] = answer
        return proxy.url


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with chain_world(nodes=3, block_time_s=0) as world:
        key = tmp_path / "farmer.key"
        key.write_text(world.farm.farmer.seed.hex())
        key.chmod(0o600)
        yield Rig(world, key)


def blocks_until_now(world: ChainWorld, count: int) -> None:
    for index in range(count):
        world.ledger.produce(time.time() - 6.0 * (count - 1 - index))


async def test_r14_a_node_whose_sign_of_life_is_forgotten_does_not_count_as_awake_in_silence(rig: Rig) -> None:
    blocks_until_now(rig.world, 320)
    url = await rig.forgetful(kept=256)
    refused = await rig.run("down", "2", "3", url=url)
    assert refused.returncode == 1
    assert "it is not certain that another node of the farm would be awake" in refused.stderr
    assert "node 1 gave the last sign of life" in refused.stderr
    assert "chain.urls" in refused.stderr
    assert rig.paid == 0
    forced = await rig.run("down", "2", "--force", url=url)
    assert forced.returncode == 0, forced.stderr
    assert "not certain" in forced.stderr
    rig.world.ledger.force_storage("NodePower", 2, StoredPower(down_since=321, target="Down"))
    rig.world.produce()
    listed = await rig.run("list", url=url)
    assert "node 2: it is asleep, and it is not certain that a node of its farm is awake" in listed.stdout


async def test_r6_a_farm_is_not_darkened_by_what_was_true_hours_ago(rig: Rig) -> None:
    rig.world.ledger.produce(time.time() - 5 * HOUR_S)
    rig.world.ledger.best.time_ms = int((time.time() - 5 * HOUR_S) * 1000)
    for options in ([], ["--force"], ["--dry-run"]):
        refused = await rig.run("down", "2", *options)
        assert refused.returncode == 1
        assert re.search(r"is 5 h( \d+ min)? old by this machine's clock", refused.stderr)
    assert rig.paid == 0
    listed = await rig.run("list")
    assert listed.returncode == 0
    assert "ALL OF THIS IS OLD" in listed.stdout
    told = json.loads((await rig.run("list", "--json")).stdout)
    assert told["age_s"] == pytest.approx(5 * HOUR_S, abs=300)
    assert "chain.urls" in told["old"]


async def test_what_is_down_already_needs_no_objection(rig: Rig) -> None:
    rig.world.ledger.force_storage("NodePower", 2, StoredPower(down_since=None, target="Down"))
    rig.world.ledger.force_storage("ActiveNodeContracts", 2, (5,))
    rig.world.produce()
    for options in ([], ["--dry-run"]):
        done = await rig.run("down", "2", *options)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("node 2: target Down already\n")
    assert done.stdout.endswith("nothing would be done\n")
    assert rig.paid == 0


async def test_what_was_written_is_shown_though_the_next_endpoint_is_behind(rig: Rig) -> None:
    behind = Endpoint(rig.world.inside)
    async with listening(behind, "127.0.0.1", 0) as url:
        urls = f"{url},{rig.world.url}"
        assert (await rig.run("down", "2", url=urls)).returncode == 0
        behind.lag_blocks = 1
        listed = json.loads((await rig.run("list", "--json", url=urls)).stdout)
        assert listed["nodes"][1]["target"] == "Down"
        assert listed["old"] is None
        # Else this would darken the farm: by the endpoint that is behind, node 2 is there to wake the others.
        refused = await rig.run("down", "1", "3", url=urls)
        assert "no other node of the farm would be awake" in refused.stderr


async def test_a_target_that_may_not_have_arrived_is_reported_with_what_to_do(rig: Rig) -> None:
    rig.world.ledger.lose_next = 1
    lost = await rig.run("down", "2", POWERD_CHAIN_INCLUSION_TIMEOUT_S="2")
    assert lost.returncode == 1
    assert "was not seen in a block within 2 s" in lost.stderr
    assert "look at `powerd farm list` before you give the command again" in lost.stderr
    rig.world.ledger.refuse_next, rig.world.ledger.refuse_count = "badProof", 1
    refused = await rig.run("down", "2")
    assert "`powerd farm list` shows" in refused.stderr
