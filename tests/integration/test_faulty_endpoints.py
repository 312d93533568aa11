"""One endpoint of two answers questions and loses extrinsics: each extrinsic still reaches the chain, once.

The faulty endpoint is a proxy before the dev chain that spoils what has to do with extrinsics; the good one
is the dev chain itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.endpoint_health import SubstrateEndpoints
from app.adapters.substrate.power_targets import SubstratePowerTargets
from app.domain.errors import ExtrinsicRefused, RetryableError
from app.domain.model import HeadKind, Inclusion, NodeId, Power
from app.entrypoints.devchain.endpoint import Endpoint
from app.entrypoints.devchain.server import listening
from app.ports.chain import ChainEndpoints
from tests.rigs.chain.in_process import ChainWorld, chain_world, sample
from tests.rigs.scripted_node import SUBSCRIPTION, Refusal, ScriptedNode, mute_listener
from tests.slowness import patient

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

WATCH, SUBMIT = "author_submitAndWatchExtrinsic", "author_submitExtrinsic"
BLOCK_TIME_S = 0.25
ERA_BLOCKS = 64
IN_TIME_S = patient(60)
ANNOUNCED_IN_S = patient(3)
"""What the stop of the daemon leaves for it."""

NO_NODE = NodeId(4_000_000_000)

Fault = Callable[[ScriptedNode], object]


def swallows(node: ScriptedNode) -> None:
    node.answers[WATCH], node.updates[WATCH] = SUBSCRIPTION, ["ready"]
    node.answers[SUBMIT] = "0x" + "99" * 32


def says(word: Any) -> Fault:
    def spoil(node: ScriptedNode) -> None:
        swallows(node)
        node.updates[WATCH] = ["ready", word]

    return spoil


def refuses(code: int, message: str, data: object = None) -> Fault:
    refusal = Refusal(code, message, data)
    return lambda node: node.answers.update({WATCH: refusal, SUBMIT: refusal})


def hangs(node: ScriptedNode) -> None:
    node.silent |= {WATCH, SUBMIT}


def breaks(node: ScriptedNode) -> None:
    node.drop_at |= {WATCH, SUBMIT}


def hangs_altogether(node: ScriptedNode) -> None:
    node.silent |= {"chain_getHead", "chain_getHeader", WATCH, SUBMIT}


FAULTS: dict[str, Fault] = {
    "swallows extrinsics": swallows,
    "drops them": says("dropped"),
    "calls them invalid": says("invalid"),
    "full": refuses(1016, "Immediately Dropped", "The transaction couldn't enter the pool because of the limit"),
    "banned": refuses(1012, "Transaction is temporarily banned"),
    "low priority": refuses(1014, "Priority is too low: (42 vs 42)"),
    "switched off": refuses(-32601, "Method not found"),
    "unsafe": refuses(-32601, "RPC call is unsafe to be called externally"),
    "internal error": refuses(-32603, "Internal error"),
    "too many requests": refuses(-32029, "Too many requests, 429"),
    "stale": refuses(1010, "Invalid Transaction", "Transaction is outdated"),
    "future": refuses(1010, "Invalid Transaction", "Transaction will be valid in the future"),
    "bad signature": refuses(1010, "Invalid Transaction", "Transaction has a bad signature"),
    "ancient birth block": refuses(1010, "Invalid Transaction", "Transaction has an ancient birth block"),
    "payment": refuses(1010, "Invalid Transaction", "Inability to pay some fees"),
    "hangs with them": hangs,
    "breaks off": breaks,
}


@pytest.fixture
async def world() -> AsyncIterator[ChainWorld]:
    async with chain_world(block_time_s=BLOCK_TIME_S) as made:
        yield made


def chain_of(world: ChainWorld, *urls: str) -> SubstrateChain:
    return SubstrateChain(
        world.client(*urls), seed=world.farm.nodes[0].seed, inclusion_timeout_s=10.0, era_blocks=ERA_BLOCKS
    )


def nonce(world: ChainWorld) -> int:
    """How many extrinsics of the node were executed."""
    return int(world.ledger.read("Nonce", world.farm.nodes[0].public_key, default=0))


async def executed_once(world: ChainWorld, sending: Coroutine[Any, Any, object]) -> None:
    before = nonce(world)
    async with asyncio.timeout(IN_TIME_S):
        await sending
    assert nonce(world) == before + 1
    await eras_pass(world, 4)
    assert nonce(world) == before + 1, "and never again"


async def eras_pass(world: ChainWorld, blocks: int) -> None:
    until = world.ledger.best_number + blocks
    while world.ledger.best_number < until:
        made = asyncio.Event()
        world.ledger.call_at_next_block(made.set)
        await made.wait()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_report_goes_past_an_endpoint_that(world: ChainWorld, fault: Fault) -> None:
    """R15: what went wrong at one endpoint is tried at another, and the next one goes there at once."""
    bad = await world.proxy()
    fault(bad)
    chain = chain_of(world, bad.url, world.url)
    await executed_once(world, chain.report_uptime(sample))
    asked = len(bad.asked)
    await executed_once(world, chain.set_power_state(Power.DOWN))
    assert len(bad.asked) == asked, "it is left alone"


@pytest.mark.parametrize("fault", [swallows, FAULTS["full"], hangs], ids=["swallows", "full", "hangs"])
async def test_a_power_target_goes_past_an_endpoint_that(world: ChainWorld, fault: Fault) -> None:
    bad = await world.proxy()
    fault(bad)
    targets = SubstratePowerTargets(
        world.client(bad.url, world.url), seed=world.farm.farmer.seed, inclusion_timeout_s=10, era_blocks=ERA_BLOCKS
    )
    async with asyncio.timeout(IN_TIME_S):
        await targets.set_power_target(world.node, Power.DOWN)
    assert world.ledger.read("NodePower", world.node).target == "Down"


@pytest.mark.parametrize("fault", [*FAULTS.values(), hangs_altogether], ids=[*FAULTS, "hangs altogether"])
async def test_r12_the_last_up_is_given_to_more_than_one_endpoint_in_three_seconds(
    world: ChainWorld, fault: Fault
) -> None:
    bad = await world.proxy()
    chain = chain_of(world, bad.url, world.url)
    await chain.set_power_state(Power.DOWN)
    fault(bad)
    before = nonce(world)
    async with asyncio.timeout(ANNOUNCED_IN_S):
        await chain.announce_power_state(Power.UP)
    async with asyncio.timeout(IN_TIME_S):
        while nonce(world) == before:
            await eras_pass(world, 1)
    await eras_pass(world, 4)
    assert nonce(world) == before + 1
    power = world.ledger.read("NodePower", world.node)
    assert power.state == "Up"


@pytest.mark.parametrize("counted", [True, False], ids=["in its pool", "nowhere"])
async def test_an_up_behind_a_down_that_only_one_endpoint_has_seen_has_the_last_word(
    world: ChainWorld, counted: bool
) -> None:
    """The other endpoint does not know our Down: our Up must come after it, and must not wait for it."""
    bad = await world.proxy()
    swallows(bad)
    chain = chain_of(world, bad.url, world.url)
    setting = asyncio.ensure_future(chain.set_power_state(Power.DOWN))
    async with asyncio.timeout(IN_TIME_S):
        while WATCH not in bad.methods():  # noqa: ASYNC110 - the proxy has no event to await
            await asyncio.sleep(0.01)
    setting.cancel()
    if counted:
        bad.answers["system_accountNextIndex"] = 1
    await chain.announce_power_state(Power.UP)
    async with asyncio.timeout(IN_TIME_S):
        while nonce(world) < 1 + counted:
            await eras_pass(world, 1)
    power = world.ledger.read("NodePower", world.node)
    assert power is None or power.state == "Up", "Down came first, or never"


async def test_a_connection_that_hangs_instead_of_failing_does_not_keep_a_report_from_the_chain(
    world: ChainWorld,
) -> None:
    async with mute_listener() as mute:
        chain = SubstrateChain(
            world.client(mute, mute, mute, world.url, timeout_s=1.0),
            seed=world.farm.nodes[0].seed,
            era_blocks=ERA_BLOCKS,
        )
        reported_by = time.monotonic() + IN_TIME_S
        while not nonce(world):
            assert time.monotonic() < reported_by, "three bad ones at the head of the list hide the good one"
            try:
                await chain.report_uptime(sample)
            except RetryableError:
                await asyncio.sleep(0.1)


async def test_refusals_that_all_endpoints_agree_on_are_the_extrinsics_own_and_blame_none(world: ChainWorld) -> None:
    first = await world.proxy()
    chain = chain_of(world, first.url, world.url)
    world.ledger.force_storage("Balance", world.farm.nodes[0].public_key, 0)
    for _ in range(2):
        with pytest.raises(ExtrinsicRefused) as caught:
            await chain.report_uptime(sample)
        assert caught.value.reason == "payment"
    assert first.methods().count(WATCH) == 2, "it is asked first again"


async def test_a_fault_of_an_endpoint_is_raised_and_cleared(world: ChainWorld) -> None:
    """R15. The one in use tells by itself; one that was left is tried again."""
    bad = await world.proxy()
    client = world.client(bad.url, world.url)
    chain = SubstrateChain(client, seed=world.farm.nodes[0].seed, inclusion_timeout_s=10.0, era_blocks=ERA_BLOCKS)
    endpoints = SubstrateEndpoints(client)
    assert isinstance(endpoints, ChainEndpoints)
    await chain.head(HeadKind.BEST)
    assert await endpoints.troubles() == []
    bad.drop_at.add("state_queryStorageAt")
    await chain.head(HeadKind.BEST)
    (trouble,) = await endpoints.troubles()
    assert trouble.name == bad.url
    bad.drop_at.clear()
    for each in client.endpoints.all():
        each.pause_until_s = 0.0
    assert await endpoints.troubles() == []


@asynccontextmanager
async def lagging(world: ChainWorld, blocks: int) -> AsyncIterator[str]:
    endpoint = Endpoint(world.inside)
    endpoint.lag_blocks = blocks
    async with listening(endpoint, "127.0.0.1", 0) as url:
        yield url


@pytest.mark.parametrize("age_s", [0, 20], ids=["by the end of the era", "by the other's height"])
async def test_an_endpoint_that_lags_by_more_than_the_era_is_noticed(world: ChainWorld, age_s: float) -> None:
    """Within the limit for heads: nothing but the era's end, or a look at the others, shows it."""
    world.ledger.best.time_ms -= int(age_s * 1000)
    world.inside.clock_offset_s = -age_s
    await eras_pass(world, 40)
    async with lagging(world, 16) as behind:
        chain = SubstrateChain(
            world.client(behind, world.url), seed=world.farm.nodes[0].seed, inclusion_timeout_s=10, era_blocks=16
        )
        refused = 0
        async with asyncio.timeout(IN_TIME_S):
            while not nonce(world):
                try:
                    await chain.set_power_state(Power.DOWN)
                except RetryableError:
                    refused += 1
        assert refused <= (0 if age_s else 1)
        assert nonce(world) == 1
        assert (await chain.head(HeadKind.BEST)).number == world.ledger.best_number


async def test_the_targets_of_many_nodes_are_set_within_few_blocks_past_an_endpoint_that_swallows() -> None:
    async with chain_world(nodes=30, block_time_s=2.0) as world:
        bad = await world.proxy()
        swallows(bad)
        nodes = [NodeId(node) for node in world.farm.node_ids]
        for urls, target in (((world.url,), Power.DOWN), ((bad.url, world.url), Power.UP)):
            targets = SubstratePowerTargets(world.client(*urls), seed=world.farm.farmer.seed, inclusion_timeout_s=30)
            outcomes = [outcome async for outcome in targets.set_power_targets([*nodes, NO_NODE], target)]
            assert {node for node, _ in outcomes} == {*nodes, NO_NODE}
            failed = [node for node, outcome in outcomes if not isinstance(outcome, Inclusion)]
            assert failed == [NO_NODE]
            blocks = {outcome.block_number for _, outcome in outcomes if isinstance(outcome, Inclusion)}
            assert len(blocks) < 20
            assert int(world.ledger.read("Nonce", world.farm.farmer.public_key)) % 31 == 0, "each was executed once"
