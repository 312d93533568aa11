"""Reading the chain: in batches, by the right runtime, and with one broken answer spoiling no other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from app.adapters.simulated.pallet import StoredPower
from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.client import SubstrateClient
from app.domain.errors import ChainUnavailable, PermanentError, WrongChain
from app.domain.model import FarmId, HeadKind, Mac, Node, NodeId, NodePower, Power, PowerState, Unreadable
from app.entrypoints.devchain.dev_runtime import SPEC_VERSION
from tests.rigs.chain.in_process import ChainWorld, chain_world, metadata
from tests.rigs.scripted_node import ScriptedNode

pytestmark = pytest.mark.anyio

HEAD, PARENT = "0x" + "11" * 32, "0x" + "22" * 32


@pytest.fixture
async def world() -> AsyncIterator[ChainWorld]:
    async with chain_world() as made:
        yield made


async def test_a_thousand_nodes_take_no_more_requests_than_one(world: ChainWorld) -> None:
    proxy = await world.proxy()
    chain = world.chain(proxy.url)
    await chain.powers([world.node], HeadKind.BEST)
    proxy.asked.clear()
    await chain.powers([world.node], HeadKind.BEST)
    for_one = proxy.methods()
    proxy.asked.clear()
    reading = await chain.powers([NodeId(number) for number in range(1, 1001)], HeadKind.BEST)
    assert len(reading.powers) == 1000
    assert proxy.methods() == for_one == ["state_queryStorageAt"]


async def test_more_nodes_than_fit_a_request_are_read_at_one_block(world: ChainWorld) -> None:
    proxy = await world.proxy()

    def while_blocks_are_made(keys: list[str], at: str | None = None) -> Any:
        block = at or world.ledger.best.hash
        world.produce()
        return [{"block": block, "changes": [[key, world.stored(key, block)] for key in keys]}]

    proxy.answers["state_queryStorageAt"] = while_blocks_are_made
    best = world.ledger.best
    reading = await world.chain(proxy.url).powers([NodeId(number) for number in range(1, 10_001)], HeadKind.BEST)
    assert len(reading.powers) == 10_000
    assert reading.head is not None
    assert (reading.head.number, reading.head.hash) == (best.number, best.hash)
    asked = [params[1:] for method, params in proxy.asked if method == "state_queryStorageAt"]
    assert asked == [[], [best.hash], [best.hash]]


async def test_the_finalized_head_shows_a_change_only_once_it_is_final(world: ChainWorld) -> None:
    chain = world.chain()
    await chain.announce_power_state(Power.DOWN)
    world.produce()
    for kind, shown in ((HeadKind.BEST, Power.DOWN), (HeadKind.FINALIZED, Power.UP)):
        assert await state_of(chain, world.node, kind) is shown
    world.produce(world.ledger.finality_lag)
    assert await state_of(chain, world.node, HeadKind.FINALIZED) is Power.DOWN
    reading = await chain.powers([world.node], HeadKind.FINALIZED)
    assert reading.head is not None
    assert (reading.head.number, reading.head.hash) == (1, world.ledger.finalized.hash)


@pytest.mark.parametrize("takes_batches", [True, False])
async def test_the_best_head_is_chosen_after_the_finalized_one_was_named(
    world: ChainWorld, takes_batches: bool
) -> None:
    proxy = await world.proxy()
    proxy.takes_batches = takes_batches
    chain = world.chain(proxy.url)
    await chain.head(HeadKind.BEST)
    world.produce(5)
    before = world.ledger.finalized.hash

    def names_it_and_goes_on() -> str:
        world.ledger.force_storage("NodePower", world.node, StoredPower(None, "Down"))
        world.produce(3)
        return before

    proxy.answers["chain_getFinalizedHead"] = names_it_and_goes_on
    proxy.asked.clear()
    finalized, best = await chain.powers_at_heads([world.node])
    assert finalized.head is not None
    assert best.head is not None
    assert (finalized.head.hash, best.head.hash) == (before, world.ledger.best.hash)
    assert finalized.powers[world.node] == NodePower(PowerState(Power.UP), Power.UP)
    assert best.powers[world.node] == NodePower(PowerState(Power.UP), Power.DOWN)
    assert proxy.methods()[0] == "chain_getFinalizedHead"
    reads = [params[1:] for method, params in proxy.asked if method == "state_queryStorageAt"]
    assert reads == [[before], []]


async def state_of(chain: SubstrateChain, node: NodeId, kind: HeadKind) -> Power:
    power = (await chain.powers([node], kind)).powers[node]
    assert isinstance(power, NodePower)
    return power.state.power


async def test_addresses_that_can_not_be_used_say_why(world: ChainWorld) -> None:
    record = world.ledger.read("Nodes", world.node)
    interface = record["interfaces"][0]
    cases: dict[int, Any] = {
        101: [],
        102: [{**interface, "name": "eth0"}],
        103: [{**interface, "mac": "not a mac"}],
        104: [{**interface, "mac": "00:00:00:00:00:00"}],
        105: [{**interface, "name": "eth0"}, {**interface, "mac": "54-B2-03-A0-11-22"}],
    }
    for node, interfaces in cases.items():
        world.ledger.force_storage("Nodes", node, {**record, "id": node, "interfaces": interfaces})
    found = await world.chain().nodes([NodeId(node) for node in cases])
    records = [record for record in found.values() if isinstance(record, Node)]
    assert [record.mac for record in records] == [None] * 4 + [Mac("54:b2:03:a0:11:22")]
    problems = ("no interface named 'zos'", "no interface named 'zos'", "not a mac", "zero or group", "")
    assert [problem in record.mac_problem for problem, record in zip(problems, records, strict=True)] == [True] * 5


@pytest.mark.parametrize("kept", [0, 1, 40, 90], ids="{} bytes of it".format)
async def test_a_record_that_is_cut_off_is_unreadable_and_not_absent_and_spoils_no_other(
    world: ChainWorld, kept: int
) -> None:
    """R6: "can't be read" is not "is not there"."""
    broken, whole = (NodeId(node) for node in world.farm.node_ids)
    world.inside.storage.cut[broken] = kept
    found = await world.chain().nodes([broken, whole, NodeId(4_000_000)])
    unreadable = found[broken]
    assert isinstance(unreadable, Unreadable)
    assert f"node {broken}" in unreadable.reason
    assert isinstance(found[whole], Node)
    assert list(found) == [broken, whole]


async def test_the_record_of_another_node_is_unreadable(world: ChainWorld) -> None:
    world.ledger.force_storage("Nodes", 101, world.ledger.read("Nodes", world.node))
    unreadable = (await world.chain().nodes([NodeId(101)]))[NodeId(101)]
    assert isinstance(unreadable, Unreadable)
    assert f"that of node {world.node}" in unreadable.reason


async def test_without_a_key_it_reads_and_says_why_it_does_not_write(world: ChainWorld) -> None:
    chain = SubstrateChain(world.client())
    await chain.head(HeadKind.BEST)
    with pytest.raises(PermanentError, match="key is not configured"):
        await chain.set_power_state(Power.UP)


async def test_a_node_whose_head_is_old_gives_way_to_another(world: ChainWorld) -> None:
    async with chain_world() as fresh:
        lagging, good = await world.proxy(), await fresh.proxy()
        genesis = world.ledger.best.hash
        for proxy in (lagging, good):
            proxy.answers["chain_getBlockHash"] = lambda number: genesis
        world.ledger.best.time_ms -= 3_600_000
        chain = world.chain(lagging.url, good.url)
        head = await chain.head(HeadKind.BEST)
        assert head.time_s - world.ledger.best.time_ms / 1000 > 3000, "in the same read"


# -- answers no honest node gives: all is scripted -----------------------------------------------------


def scripted(*, spec: int = SPEC_VERSION, upgrade: int | None = None, power: Any = None, **more: Any) -> ScriptedNode:
    """A node at one block. ``power`` is the stored NodePower of every node."""

    def values(keys: list[str], block: str = HEAD) -> Any:
        number, moment, upgraded_to, *others = keys
        upgraded = None if upgrade is None else f"0x{(upgrade << 2 | 1).to_bytes(2, 'little').hex()}0478"
        own = [[number, "0x10000000"], [moment, "0x00e0b5c08b010000"], [upgraded_to, upgraded]]
        return [{"block": block, "changes": [*own, *([key, power] for key in others)]}]

    return ScriptedNode(
        answers={
            "chain_getHead": HEAD,
            "chain_getHeader": {"number": "0x10", "parentHash": PARENT},
            "state_getRuntimeVersion": {"specVersion": spec, "transactionVersion": 2},
            "state_getMetadata": lambda *_: metadata(),
            "state_queryStorageAt": values,
            **more,
        }
    )


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as made:
        yield made


async def chain_of(stack: AsyncExitStack, *nodes: ScriptedNode) -> SubstrateChain:
    for node in nodes:
        await stack.enter_async_context(node.running())
    client = SubstrateClient([node.url for node in nodes], timeout_s=2.0)
    stack.push_async_callback(client.close)
    return SubstrateChain(client)


@pytest.mark.parametrize("broken", ["0x", "0x00", "0x0200", "0x0002", "0x01c402", "0x000000", "nonsense"])
async def test_a_power_that_is_neither_up_nor_down_is_unreadable_and_no_default(
    stack: AsyncExitStack, broken: str
) -> None:
    node = scripted()
    honest = node.answers["state_queryStorageAt"]

    def values(keys: list[str]) -> Any:
        (answer,) = honest(keys)
        answer["changes"][-2:] = [[keys[-2], broken], [keys[-1], "0x01c402000001"]]
        return [answer]

    chain = await chain_of(stack, replace(node, answers={**node.answers, "state_queryStorageAt": values}))
    powers = (await chain.powers([NodeId(1), NodeId(2)], HeadKind.BEST)).powers
    assert isinstance(powers[NodeId(1)], Unreadable)
    assert broken in str(powers[NodeId(1)])
    assert powers[NodeId(2)] == NodePower(PowerState(Power.DOWN, 708), Power.DOWN)


async def test_a_list_of_nodes_that_can_not_be_read_is_unavailable(stack: AsyncExitStack) -> None:
    chain = await chain_of(stack, scripted(power="0x08ff"))
    with pytest.raises(ChainUnavailable, match="NodesByFarmID"):
        await chain.farm_nodes(FarmId(1))


@pytest.mark.parametrize(
    "nonsense",
    [
        {"chain_getHead": 17},
        {"state_getRuntimeVersion": {"specVersion": "new"}},
        {"state_queryStorageAt": [{"block": HEAD, "changes": "none"}]},
        {"state_queryStorageAt": [{"changes": []}]},
        {"state_queryStorageAt": [{"block": block, "changes": []} for block in (PARENT, HEAD)]},
        {"state_queryStorageAt": []},
        {"state_queryStorageAt": None},
        {"state_getMetadata": "0x1234"},
    ],
    ids=lambda answers: "-".join(answers),
)
async def test_an_answer_of_the_wrong_shape_is_unavailable_and_names_the_endpoint(
    stack: AsyncExitStack, nonsense: dict[str, Any]
) -> None:
    node = scripted(**nonsense)
    chain = await chain_of(stack, node)
    with pytest.raises(ChainUnavailable, match=node.url):
        await chain.powers([NodeId(1)], HeadKind.BEST)


async def test_an_answer_about_another_block_than_was_asked_for_is_refused(stack: AsyncExitStack) -> None:
    node = scripted(chain_getFinalizedHead=HEAD)
    honest = node.answers["state_queryStorageAt"]
    node.answers["state_queryStorageAt"] = lambda keys, _: honest(keys, PARENT)
    chain = await chain_of(stack, node)
    with pytest.raises(ChainUnavailable, match=f"{node.url}.*asked for {HEAD}, and answered for {PARENT}"):
        await chain.powers([NodeId(1)], HeadKind.FINALIZED)


async def test_a_runtime_without_power_states_is_the_wrong_chain(stack: AsyncExitStack) -> None:
    renamed = metadata().replace(b"change_power_state".hex(), b"change_other_state".hex())
    node = scripted(state_getMetadata=renamed)
    chain = await chain_of(stack, node)
    with pytest.raises(WrongChain, match=rf"{node.url}.*change_power_state"):
        await chain.head(HeadKind.BEST)


async def test_metadata_is_read_once_for_all_connections(stack: AsyncExitStack) -> None:
    node = scripted()
    chain = await chain_of(stack, node)
    for _ in range(3):
        await chain.head(HeadKind.BEST)
        node.hang_up()
    assert node.methods().count("state_getMetadata") == 1


async def test_after_a_runtime_upgrade_the_new_metadata_is_read(stack: AsyncExitStack) -> None:
    node = scripted(power="0x0001")
    chain = await chain_of(stack, node)
    await chain.head(HeadKind.BEST)
    node.answers["state_getRuntimeVersion"] = {"specVersion": SPEC_VERSION + 1, "transactionVersion": 2}
    reading = await chain.powers([NodeId(1)], HeadKind.BEST)
    assert reading.powers[NodeId(1)] == NodePower(PowerState(Power.UP), Power.DOWN)
    assert [params for method, params in node.asked if method == "state_getMetadata"] == [[HEAD], [HEAD]]


async def test_the_block_that_brings_an_upgrade_is_read_by_the_old_runtime(stack: AsyncExitStack) -> None:
    node = scripted(spec=SPEC_VERSION + 1, upgrade=SPEC_VERSION)
    chain = await chain_of(stack, node)
    await chain.head(HeadKind.BEST)
    asked = [params for method, params in node.asked if method == "state_getMetadata"]
    assert asked[-1] == [PARENT], "the old code stands in the state of the block before"


async def test_heads_with_an_upgrade_between_them_are_each_read_by_their_own_runtime(stack: AsyncExitStack) -> None:
    node = scripted(power="0x0001", chain_getFinalizedHead=PARENT)
    values, at_best = node.answers["state_queryStorageAt"], scripted(power="0x0001", upgrade=SPEC_VERSION + 1)
    upgraded = at_best.answers["state_queryStorageAt"]
    node.answers["state_queryStorageAt"] = lambda keys, block=None: (values if block else upgraded)(keys, block or HEAD)
    node.answers["state_getRuntimeVersion"] = lambda block: {"specVersion": SPEC_VERSION + (block == HEAD)}
    chain = await chain_of(stack, node)
    finalized, best = await chain.powers_at_heads([NodeId(1)])
    assert finalized.head is not None
    assert best.head is not None
    assert (finalized.head.hash, best.head.hash) == (PARENT, HEAD)
    assert finalized.powers == best.powers == {NodeId(1): NodePower(PowerState(Power.UP), Power.DOWN)}
    assert [params for method, params in node.asked if method == "state_getMetadata"] == [[PARENT], [HEAD]]


@pytest.mark.parametrize("header", [None, {"number": "ten", "parentHash": PARENT}])
async def test_the_block_before_an_unannounced_upgrade_is_unavailable(stack: AsyncExitStack, header: Any) -> None:
    node = scripted(spec=SPEC_VERSION + 1, upgrade=SPEC_VERSION, chain_getHeader=header)
    chain = await chain_of(stack, node)
    with pytest.raises(ChainUnavailable, match=node.url):
        await chain.head(HeadKind.BEST)
