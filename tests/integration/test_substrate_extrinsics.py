"""The result of an extrinsic when pools, nodes and connections fail. None is signed twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from app.adapters.substrate.chain import SubstrateChain
from app.domain.errors import ChainUnavailable, ExtrinsicFailed, ExtrinsicRefused, ExtrinsicUncertain
from app.domain.model import HeadKind, Inclusion, NodePower, Power, UptimeSample
from tests.rigs.chain.in_process import ERA_BLOCKS, ChainWorld, chain_world, sample
from tests.rigs.scripted_node import SUBSCRIPTION, Refusal, ScriptedNode
from tests.slowness import patient

pytestmark = pytest.mark.anyio

WATCH = "author_submitAndWatchExtrinsic"
IN_TIME_S = patient(20)


@pytest.fixture
async def world() -> AsyncIterator[ChainWorld]:
    async with chain_world() as made:
        yield made


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(IN_TIME_S):
        while not condition():  # noqa: ASYNC110 - the ledger has no event to await
            await asyncio.sleep(0.002)


async def pooled(world: ChainWorld, count: int = 1) -> None:
    await until(lambda: len(list(world.ledger.pending())) == count)


def submissions(node: ScriptedNode) -> int:
    return sum(method.startswith("author_submit") for method in node.methods())


async def test_one_is_waited_for_until_a_block_holds_it(world: ChainWorld) -> None:
    async with asyncio.TaskGroup() as group:
        setting = group.create_task(world.chain().set_power_state(Power.DOWN))
        await pooled(world)
        assert not setting.done()
        world.produce()
    assert setting.result() == Inclusion(world.ledger.best.hash, 1)


async def test_reads_are_quick_while_one_is_waited_for(world: ChainWorld) -> None:
    chain = world.chain()
    await chain.head(HeadKind.BEST)
    async with asyncio.TaskGroup() as group:
        group.create_task(chain.set_power_state(Power.DOWN))
        await pooled(world)
        began_s = time.monotonic()
        for _ in range(5):
            await chain.powers([world.node], HeadKind.BEST)
        assert time.monotonic() - began_s < patient(2)
        world.produce()


async def test_several_at_once_get_nonces_one_after_the_other(world: ChainWorld) -> None:
    chain = world.chain()
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(chain.report_uptime(sample))
        await pooled(world, 3)
        assert sorted(waiting.nonce for waiting in world.ledger.pending()) == [0, 1, 2]
        world.produce()


async def test_uptime_is_sampled_after_the_nonce_is_known(world: ChainWorld) -> None:
    proxy = await world.proxy()
    known: list[list[str]] = []

    def sample_now() -> UptimeSample:
        known.append(proxy.methods())
        return sample()

    chain = world.chain(proxy.url)
    async with asyncio.TaskGroup() as group:
        group.create_task(chain.report_uptime(sample_now))
        await pooled(world)
        world.produce()
    assert "system_accountNextIndex" in known[0]
    assert WATCH not in known[0]


async def test_one_signed_while_finality_stands_still_is_valid(world: ChainWorld) -> None:
    world.ledger.hold_finality = True
    world.produce(5 * ERA_BLOCKS)
    async with asyncio.TaskGroup() as group:
        setting = group.create_task(world.chain().set_power_state(Power.DOWN))
        await pooled(world)
        world.produce()
    assert setting.result().block_number == 5 * ERA_BLOCKS + 1


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (Refusal(1010, "Invalid Transaction", "Transaction is outdated"), "stale"),
        (Refusal(1010, "Invalid Transaction", "Inability to pay some fees (e.g. account balance too low)"), "payment"),
        (Refusal(1010, '{"invalid":{"stale":null}}'), "stale"),
        (Refusal(1011, "Unknown Transaction Validity", {"unknown": "noUnsignedValidator"}), "noUnsignedValidator"),
        (Refusal(1014, "Priority is too low: (42 vs 42)", "The transaction has too low priority"), "priorityTooLow"),
    ],
)
async def test_a_pool_that_refuses_says_why(world: ChainWorld, refusal: Refusal, reason: str) -> None:
    proxy = await world.proxy()
    proxy.answers[WATCH] = refusal
    with pytest.raises(ExtrinsicRefused) as caught:
        await world.chain(proxy.url).set_power_state(Power.UP)
    assert caught.value.reason == reason
    assert submissions(proxy) == 1


async def test_an_account_without_money_is_refused(world: ChainWorld) -> None:
    world.ledger.force_storage("Balance", world.farm.nodes[0].public_key, 0)
    with pytest.raises(ExtrinsicRefused) as caught:
        await world.chain().set_power_state(Power.UP)
    assert caught.value.reason == "payment"


async def test_a_nonce_that_another_program_used_meanwhile_is_refused_as_stale(world: ChainWorld) -> None:
    world.ledger.force_storage("Nonce", world.farm.nodes[0].public_key, 3)
    proxy = await world.proxy()
    proxy.answers["system_accountNextIndex"] = 0
    with pytest.raises(ExtrinsicRefused) as caught:
        await world.chain(proxy.url).set_power_state(Power.UP)
    assert caught.value.reason == "stale"


async def test_a_node_that_does_not_know_the_request_is_unavailable(world: ChainWorld) -> None:
    proxy = await world.proxy()
    proxy.answers[WATCH] = proxy.answers["author_submitExtrinsic"] = Refusal(-32601, "Method not found")
    with pytest.raises(ChainUnavailable, match="Method not found"):
        await world.chain(proxy.url).set_power_state(Power.UP)


async def test_a_node_that_does_not_let_extrinsics_be_watched_is_given_them_all_the_same(world: ChainWorld) -> None:
    proxy = await world.proxy()
    proxy.answers[WATCH] = Refusal(-32601, "Method not found")
    async with asyncio.TaskGroup() as group:
        setting = group.create_task(world.chain(proxy.url).set_power_state(Power.DOWN))
        await pooled(world)
        world.produce()
    assert setting.result() == Inclusion(world.ledger.best.hash, 1)


async def watched(world: ChainWorld, *updates: Any, inclusion_timeout_s: float = 0.5) -> Inclusion:
    """Send one through a node that takes it, forgets it, and reports only ``updates``."""
    proxy = await world.proxy()
    proxy.answers[WATCH] = SUBSCRIPTION
    proxy.updates[WATCH] = list(updates)
    try:
        return await world.chain(proxy.url, inclusion_timeout_s=inclusion_timeout_s).set_power_state(Power.DOWN)
    finally:
        assert submissions(proxy) == 1


@pytest.mark.parametrize("word", ["invalid", {"usurped": "0x" + "33" * 32}], ids=["invalid", "usurped"])
async def test_one_that_can_not_be_included_any_more_is_refused(world: ChainWorld, word: Any) -> None:
    with pytest.raises(ExtrinsicRefused):
        await watched(world, "future", "ready", {"broadcast": []}, word)


async def test_one_that_a_full_pool_dropped_is_uncertain(world: ChainWorld) -> None:
    with pytest.raises(ExtrinsicUncertain, match="dropped"):
        await watched(world, "ready", "dropped")


@pytest.mark.parametrize(
    "words",
    [[], ["ready", {"retracted": "0x" + "44" * 32}], [{"finalityTimeout": "0x" + "44" * 32}], ["something new"]],
    ids=["silence", "retracted", "finality time-out", "unknown word"],
)
async def test_one_that_is_never_seen_in_a_block_is_uncertain_at_the_deadline(
    world: ChainWorld, words: list[Any]
) -> None:
    with pytest.raises(ExtrinsicUncertain, match=r"not seen in a block within 0\.5 s"):
        await watched(world, *words)


async def test_one_that_a_reorganisation_takes_back_is_waited_for_again(world: ChainWorld) -> None:
    proxy = await world.proxy()
    fork = "0x" + "55" * 32
    proxy.answers["chain_getBlock"] = lambda block_hash: None
    proxy.updates[WATCH] = []
    chain = world.chain(proxy.url)
    async with asyncio.TaskGroup() as group:
        setting = group.create_task(chain.set_power_state(Power.DOWN))
        await pooled(world)
        world.produce()
        await until(lambda: "chain_getBlock" in proxy.methods())
        del proxy.answers["chain_getBlock"]
        assert not setting.done(), f"an unknown block ({fork}) proves nothing"
        world.ledger.reorganise(1)
        await pooled(world)
        world.produce()
    assert setting.result().block_hash == world.ledger.best.hash


@pytest.mark.parametrize("end", ["drop_after", "drop_at_update"])
async def test_a_connection_lost_after_sending_is_followed_up_on_another_endpoint(world: ChainWorld, end: str) -> None:
    proxy = await world.proxy()
    if end == "drop_after":
        proxy.drop_after.add(WATCH)
    chain = world.chain(proxy.url, world.url)
    async with asyncio.TaskGroup() as group:
        setting = group.create_task(chain.set_power_state(Power.DOWN))
        await pooled(world)
        proxy.hang_up()
        world.produce()
    assert setting.result() == Inclusion(world.ledger.best.hash, 1)
    assert submissions(proxy) == 1


async def test_one_that_failed_out_of_sight_fails_by_name(world: ChainWorld) -> None:
    proxy = await world.proxy()
    proxy.drop_after.add(WATCH)
    chain = world.chain(proxy.url, world.url)
    reporting = asyncio.ensure_future(chain.report_uptime(lambda: UptimeSample(1, 1)))
    await pooled(world)
    world.produce()
    with pytest.raises(ExtrinsicFailed) as caught:
        await reporting
    assert caught.value.error == "InvalidTimestampHint"
    assert caught.value.block_hash == world.ledger.best.hash


@pytest.mark.parametrize("what", ["state", "uptime"])
async def test_an_account_without_a_node_fails_by_name(world: ChainWorld, what: str) -> None:
    chain = SubstrateChain(world.client(), seed=world.farm.farmer.seed, key_type="sr25519")
    sending = asyncio.ensure_future(
        chain.set_power_state(Power.DOWN) if what == "state" else chain.report_uptime(sample)
    )
    await pooled(world)
    world.produce()
    with pytest.raises(ExtrinsicFailed) as caught:
        await sending
    assert caught.value.error == "NodeNotExists"


async def test_one_that_never_got_there_is_refused_once_its_era_is_over(world: ChainWorld) -> None:
    proxy = await world.proxy()
    proxy.drop_at.add(WATCH)
    chain = world.chain(proxy.url)
    setting = asyncio.ensure_future(chain.set_power_state(Power.DOWN))
    await until(lambda: submissions(proxy) == 1)
    world.produce(ERA_BLOCKS)
    with pytest.raises(ExtrinsicRefused) as caught:
        await setting
    assert caught.value.reason == "expired"


async def test_one_that_was_lost_is_uncertain_and_never_sent_again(world: ChainWorld) -> None:
    world.ledger.lose_next = 1
    proxy = await world.proxy()
    with pytest.raises(ExtrinsicUncertain):
        await world.chain(proxy.url, inclusion_timeout_s=0.3).set_power_state(Power.DOWN)
    assert submissions(proxy) == 1


async def test_a_node_that_hangs_while_one_is_waited_for_is_left_for_another(world: ChainWorld) -> None:
    proxy = await world.proxy()
    chain = world.chain(proxy.url, world.url, timeout_s=patient(1))
    async with asyncio.TaskGroup() as group:
        setting = group.create_task(chain.set_power_state(Power.DOWN))
        await pooled(world)
        proxy.silent |= {"chain_getHead", "chain_getBlock", "chain_getHeader"}
        world.produce()
    assert setting.result().block_hash == world.ledger.best.hash


async def test_all_endpoints_gone_after_sending_is_uncertain(world: ChainWorld) -> None:
    proxy = await world.proxy()
    proxy.drop_after.add(WATCH)
    chain = world.chain(proxy.url, inclusion_timeout_s=0.5)
    proxy.drop_at |= {"chain_getBlock"}
    with pytest.raises(ExtrinsicUncertain):
        await chain.set_power_state(Power.DOWN)


async def test_giving_up_waiting_unwatches_and_leaves_the_connection_usable(world: ChainWorld) -> None:
    proxy = await world.proxy()
    chain = world.chain(proxy.url)
    setting = asyncio.ensure_future(chain.set_power_state(Power.DOWN))
    await pooled(world)
    setting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await setting
    await until(lambda: "author_unwatchExtrinsic" in proxy.methods())
    await chain.head(HeadKind.BEST)
    assert len(proxy.headers) == 1, "one connection served it all"


async def test_up_announced_behind_a_down_that_is_given_up_has_the_last_word(world: ChainWorld) -> None:
    chain = world.chain()
    setting = asyncio.ensure_future(chain.set_power_state(Power.DOWN))
    await pooled(world)
    setting.cancel()
    await chain.announce_power_state(Power.UP)
    assert sorted(waiting.nonce for waiting in world.ledger.pending()) == [0, 1]
    world.produce()
    power = (await chain.powers([world.node], HeadKind.BEST)).powers[world.node]
    assert isinstance(power, NodePower)
    assert power.state.power is Power.UP


async def test_an_announcement_that_may_have_been_lost_is_uncertain(world: ChainWorld) -> None:
    proxy = await world.proxy()
    proxy.drop_after.add("author_submitExtrinsic")
    with pytest.raises(ExtrinsicUncertain):
        await world.chain(proxy.url).announce_power_state(Power.UP)
