"""The farmer sees what the chain says of a farm, and nothing that was guessed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from app.adapters.files.key_text import parse_key
from app.adapters.simulated.farm_setup import add_farm, add_farm_record
from app.adapters.simulated.pallet import StoredPower
from app.adapters.substrate.farm_owners import SubstrateFarmOwners
from app.adapters.substrate.farm_view import FarmView, SubstrateFarmView
from app.adapters.substrate.farmer_account import SubstrateFarmerAccount
from app.adapters.substrate.keys import DEVELOPMENT_PHRASE, SigningKey, secret_of
from app.adapters.substrate.power_targets import SubstratePowerTargets
from app.domain.model import FarmId, NodeId, Power, TwinId, Unreadable
from tests.rigs.chain.in_process import ChainWorld, chain_world
from tests.rigs.scripted_node import Refusal

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world() -> AsyncIterator[ChainWorld]:
    async with chain_world(nodes=3) as running:
        yield running


def at(world: ChainWorld, time_s: float, blocks: int = 1) -> None:
    for index in range(blocks):
        world.ledger.produce(time_s + index)


def report(world: ChainWorld, node: int) -> None:
    """Its account's nonce rises in the newest block, as by an uptime report."""
    account = world.farm.nodes[node - 1].public_key
    world.ledger.force_storage("Nonce", account, world.ledger.read("Nonce", account, default=0) + 1)


async def look(world: ChainWorld, farm: int = 1) -> FarmView:
    return await SubstrateFarmView(world.client()).look(FarmId(farm))


async def test_the_last_sign_of_life_lies_between_two_blocks(world: ChainWorld) -> None:
    start_s = time.time()
    at(world, start_s, 60)
    report(world, 1)
    at(world, start_s + 4200, 60)
    report(world, 2)
    at(world, start_s + 7180, 20)
    view = await look(world)
    signs = {member.id: member.sign for member in view.members}
    assert signs[NodeId(1)].at_least_s == pytest.approx(2960, abs=60)
    assert signs[NodeId(1)].at_most_s == pytest.approx(7160, abs=60)
    assert signs[NodeId(2)].at_least_s == pytest.approx(10, abs=5)
    assert signs[NodeId(2)].at_most_s == pytest.approx(2960, abs=60)
    assert signs[NodeId(3)].at_most_s is None
    assert signs[NodeId(3)].at_least_s > 7000


async def test_since_when_a_sleeper_sleeps_is_the_time_of_its_block(world: ChainWorld) -> None:
    start_s = time.time()
    at(world, start_s + 100, 3)
    world.ledger.force_storage("NodePower", 2, StoredPower(down_since=2, target="Down"))
    at(world, start_s + 600)
    view = await look(world)
    assert view.since_s == {NodeId(2): pytest.approx(start_s + 101, abs=0.1)}
    assert not view.estimated


async def test_where_the_block_is_pruned_the_time_is_estimated_and_the_rest_shown(world: ChainWorld) -> None:
    world.ledger.force_storage("NodePower", 2, StoredPower(down_since=1, target="Down"))
    start_s = time.time()
    for index in range(200):
        world.ledger.produce(start_s + 6.0 * index)
    proxy = await world.proxy()
    forgotten = {world.ledger.block(number).hash for number in range(120)}  # type: ignore[union-attr]

    def answer(keys: list[str], block_hash: str = "") -> object:
        if block_hash in forgotten:
            return Refusal(-32000, "State already discarded")
        at_hash = block_hash or world.ledger.best.hash
        return [{"block": at_hash, "changes": [[key, world.stored(key, at_hash)] for key in keys]}]

    proxy.answers["state_queryStorageAt"] = answer
    view = await SubstrateFarmView(world.client(proxy.url)).look(FarmId(1))
    assert view.estimated == {NodeId(2)}
    assert view.since_s[NodeId(2)] == pytest.approx(start_s, abs=10)
    assert view.members[0].sign.at_least_s == pytest.approx(300, abs=10)


async def test_a_record_or_a_contract_that_cannot_be_read_leaves_the_row(world: ChainWorld) -> None:
    world.inside.storage.cut[2] = 30
    world.ledger.force_storage("ActiveNodeContracts", 1, (5, 6))
    world.ledger.force_storage("ActiveRentContractForNode", 3, 9)
    world.produce()
    first, second, third = (await look(world)).members
    assert (first.contracts, second.contracts, third.contracts) == (2, 0, 1)
    assert isinstance(second.record, Unreadable)


async def test_a_farm_that_does_not_exist_has_no_members(world: ChainWorld) -> None:
    assert (await look(world, 77)).members == []


async def test_all_farms_of_a_twin_are_found_among_thousands(world: ChainWorld) -> None:
    twin = TwinId(int(world.ledger.read("TwinIdByAccountID", world.farm.farmer.public_key)))
    for farm in range(2, 5002):
        add_farm_record(world.ledger, farm, world.farm.farmer.public_key if farm == 4711 else b"%032d" % farm)
    world.ledger.force_storage("FarmID", None, 5001)
    world.produce()
    owners = SubstrateFarmOwners(world.client(timeout_s=20.0))
    start_s = time.monotonic()
    assert await owners.farms_of(twin) == [1, 4711]
    print(f"5001 farms in {time.monotonic() - start_s:.2f} s")
    assert await owners.owner(FarmId(4711)) == twin
    assert await owners.owner(FarmId(9999)) is None


async def test_the_account_of_a_key(world: ChainWorld) -> None:
    account = await SubstrateFarmerAccount(world.client(), seed=world.farm.farmer.seed, key_type="sr25519").look()
    assert (account.address, account.free_tft) == (world.farm.farmer.address, 100.0)
    assert account.twin == world.ledger.read("TwinIdByAccountID", world.farm.farmer.public_key)
    other = await SubstrateFarmerAccount(world.client(), seed=bytes(32), key_type="sr25519").look()
    assert (other.twin, other.free_tft) == (None, 0.0)


@pytest.mark.parametrize("uri", ["//hard/soft", "//Alice", f"{DEVELOPMENT_PHRASE}///password"])
async def test_the_chain_takes_what_a_derived_key_signs(uri: str) -> None:
    key = parse_key(uri.encode())
    secret = secret_of(key.phrase, key.path, key.password, "sr25519")
    async with chain_world(block_time_s=0) as world:
        _, (node,) = add_farm(world.ledger, SigningKey(secret, "sr25519").account_id, [b"%032d" % 1])
        await SubstratePowerTargets(world.client(), seed=secret).set_power_target(NodeId(node), Power.DOWN)
        assert world.ledger.read("NodePower", node).target == "Down"
