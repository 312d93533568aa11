"""The chain behind api-gateway: withdrawn and taken calls, its one worker, and no answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.adapters.codecs.go_types import BOOL, STRING, UINT32
from app.adapters.linux.clock import SystemClock
from app.adapters.zbus.chain import ZbusChain
from app.adapters.zbus.client import ZbusClient
from app.adapters.zbus.neighbours import GATEWAY
from app.adapters.zbus.server import Served
from app.domain.errors import ChainUnavailable, ExtrinsicFailed, ExtrinsicUncertain, RetryableError
from app.domain.model import (
    HeadKind,
    Inclusion,
    NodeId,
    Power,
    Unreadable,
)
from app.entrypoints.demo.redis_server import RedisServer
from app.entrypoints.neighbours.gateway import WHOLE_NODE
from tests.rigs.zbus_gateway import BLOCK, GONE, HERE, UP, gateway, sample
from tests.slowness import patient

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]


@pytest.fixture
async def client(redis_server: RedisServer) -> AsyncIterator[ZbusClient]:
    made = ZbusClient(redis_server.url())
    yield made
    await made.close()


@pytest.fixture
def chain(client: ZbusClient) -> ZbusChain:
    return ZbusChain(client, SystemClock(), timeout_s=patient(20))


@pytest.fixture
def hasty(client: ZbusClient) -> ZbusChain:
    return ZbusChain(client, SystemClock(), timeout_s=1.0)


# -- calls that are given up ---------------------------------------------------------------------------
async def test_a_call_that_no_gateway_took_never_runs(
    redis_server: RedisServer, redis: Any, hasty: ZbusChain, chain: ZbusChain
) -> None:
    with pytest.raises(ChainUnavailable, match=r"did not answer within 1 s"):
        await hasty.set_power_state(Power.DOWN)
    assert redis.llen(GATEWAY.queue) == 0
    async with gateway(redis_server) as asked:
        await chain.set_power_state(Power.UP)
        assert asked.seen == [True]


async def test_a_call_that_was_taken_may_have_reached_the_chain(
    redis_server: RedisServer, redis: Any, hasty: ZbusChain
) -> None:
    async with gateway(redis_server) as asked:
        asked.go_on.clear()
        with pytest.raises(ExtrinsicUncertain, match="did not answer"):
            await hasty.set_power_state(Power.DOWN)
        assert asked.seen == [False]


async def test_what_the_gateway_says_went_wrong_may_have_reached_the_chain(
    redis_server: RedisServer, redis: Any, chain: ZbusChain
) -> None:
    async with gateway(redis_server) as asked:
        asked.failing = {"SetNodePowerState", "UpdateNodeUptimeV2"}
        with pytest.raises(ExtrinsicUncertain, match="SetNodePowerState failed"):
            await chain.set_power_state(Power.UP)
        with pytest.raises(ExtrinsicUncertain, match="UpdateNodeUptimeV2 failed"):
            await chain.report_uptime(sample)


async def test_a_gateway_that_knows_no_such_method_did_nothing(
    redis_server: RedisServer, redis: Any, chain: ZbusChain
) -> None:
    async with gateway(redis_server, {}):
        with pytest.raises(ChainUnavailable, match="not a function"):
            await chain.set_power_state(Power.UP)


async def test_an_answer_that_is_no_hash_leaves_it_uncertain(
    redis_server: RedisServer, redis: Any, chain: ZbusChain
) -> None:
    async def speak(_: bool) -> str:
        return "done"

    async with gateway(redis_server, {"SetNodePowerState": Served((BOOL,), STRING, speak)}):
        with pytest.raises(ExtrinsicUncertain, match="broken answer"):
            await chain.set_power_state(Power.UP)


async def test_a_list_that_takes_no_call_is_a_chain_that_is_away(redis: Any, chain: ZbusChain) -> None:
    redis.set(GATEWAY.queue, "text")
    with pytest.raises(ChainUnavailable, match="WRONGTYPE"):
        await chain.powers([HERE], HeadKind.BEST)
    with pytest.raises(ChainUnavailable, match="WRONGTYPE"):
        await chain.announce_power_state(Power.UP)


async def test_an_announced_state_stays_on_the_list_until_the_gateway_comes(
    redis_server: RedisServer, redis: Any, chain: ZbusChain
) -> None:
    await chain.announce_power_state(Power.UP)
    assert (redis.llen(GATEWAY.queue), redis.ttl(GATEWAY.queue)) == (1, -1)
    async with gateway(redis_server) as asked:
        await chain.head(HeadKind.BEST)
        assert asked.seen == [True, "time"]


# -- reading -------------------------------------------------------------------------------------------
async def test_one_failing_read_leaves_the_others_readable(
    redis_server: RedisServer, redis: Any, chain: ZbusChain
) -> None:
    async with gateway(redis_server):
        powers = (await chain.powers([HERE, GONE, NodeId(3)], HeadKind.BEST)).powers
        assert (powers[HERE], powers[NodeId(3)]) == (UP, UP)
        gone = powers[GONE]
        assert isinstance(gone, Unreadable)
        assert "GetPowerTarget failed" in gone.reason
        records = await chain.nodes([HERE, GONE, NodeId(3)])
        assert [isinstance(records[node], Unreadable) for node in (HERE, GONE, NodeId(3))] == [False, True, False]


async def test_r9_a_node_that_the_chain_does_not_have_is_an_answer(
    redis_server: RedisServer, redis: Any, chain: ZbusChain
) -> None:
    async def none(_: int) -> Any:
        raise RetryableError("node not found: object not found")

    async with gateway(redis_server, {"GetNode": Served((UINT32,), WHOLE_NODE, none)}):
        assert await chain.nodes([GONE]) == {}
        assert await chain.nodes([GONE, HERE]) == {}


async def test_reads_that_fail_all_are_a_chain_that_is_away(
    redis_server: RedisServer, redis: Any, chain: ZbusChain
) -> None:
    async with gateway(redis_server) as asked:
        asked.failing = {"GetPowerTarget", "GetNode"}
        for nodes in ([HERE], [HERE, NodeId(3)]):
            with pytest.raises(ChainUnavailable, match="GetPowerTarget failed"):
                await chain.powers(nodes, HeadKind.BEST)
            with pytest.raises(ChainUnavailable, match="GetNode failed"):
                await chain.nodes(nodes)


async def test_a_broken_answer_is_unreadable_not_down(redis_server: RedisServer, redis: Any, chain: ZbusChain) -> None:
    async def speak(_: int) -> str:
        return "up"

    async with gateway(redis_server, {"GetPowerTarget": Served((UINT32,), STRING, speak)}):
        powers = (await chain.powers([HERE], HeadKind.BEST)).powers
        assert isinstance(powers[HERE], Unreadable)


async def test_a_read_of_one_node_overtakes_a_read_of_many(
    redis_server: RedisServer, redis: Any, chain: ZbusChain
) -> None:
    async def waiting(calls: int) -> None:
        async with asyncio.timeout(patient(20)):
            while await asyncio.to_thread(redis.llen, GATEWAY.queue) != calls:
                pass

    async with gateway(redis_server) as asked:
        asked.go_on.clear()
        many = asyncio.create_task(chain.powers([NodeId(number) for number in range(1, 9)], HeadKind.BEST))
        await asked.begun.wait()
        await waiting(1)
        one = asyncio.create_task(chain.powers([NodeId(99)], HeadKind.BEST))
        await waiting(2)
        assert asked.seen == [1], "one call runs, one of many waits, and the single one: no more"
        asked.go_on.set()
        await one
        assert len((await many).powers) == 8
        assert asked.seen[:3] == [1, 2, 99]
        assert sorted(asked.seen[3:]) == list(range(3, 9))


# -- uptime --------------------------------------------------------------------------------------------
REFUSED = "the chain refused it in silence"
TAKEN = "as far as can be told, it was taken"

VERDICTS = [
    *[("exact", ahead_s, 147, REFUSED) for ahead_s in (-600, -70, 70, 600)],
    *[(time, 0, millisecond, TAKEN) for time in ("go", "exact") for millisecond in (1, 147, 500, 998, 999)],
    *[("whole", 0, millisecond, TAKEN) for millisecond in (0, 500, 999)],
    ("go", 0, 0, TAKEN),
    ("go", -70, 5, REFUSED),
    ("go", -70, 500, TAKEN),
    ("go", -600, 500, REFUSED),
    ("go", 200, 999, REFUSED),
    ("go", 200, 500, TAKEN),
    ("go", 1100, 0, REFUSED),
    ("whole", -70, 500, REFUSED),
    ("whole", 1100, 500, REFUSED),
]
"""How the gateway gives the time, how far the chain is ahead of this machine, and the block's millisecond."""


@pytest.mark.parametrize(("time", "ahead_s", "millisecond", "verdict"), VERDICTS)
async def test_r8_a_report_has_failed_where_no_time_fits_that_the_answer_can_stand_for(
    redis_server: RedisServer, redis: Any, chain: ZbusChain, time: str, ahead_s: int, millisecond: int, verdict: str
) -> None:
    async with gateway(redis_server) as asked:
        asked.time, asked.ahead_s, asked.millisecond = time, ahead_s, millisecond
        if verdict is TAKEN:
            assert await chain.report_uptime(sample) == Inclusion(f"0x{BLOCK.hex()}", None)
            return
        with pytest.raises(ExtrinsicFailed) as caught:
            await chain.report_uptime(sample)
        assert (caught.value.error, caught.value.block_hash) == ("InvalidTimestampHint", f"0x{BLOCK.hex()}")


async def test_a_report_in_time_counts_as_taken_where_the_chains_time_is_unknown(
    redis_server: RedisServer, redis: Any, chain: ZbusChain
) -> None:
    async with gateway(redis_server) as asked:
        asked.failing = {"GetTime"}
        assert await chain.report_uptime(sample) == Inclusion(f"0x{BLOCK.hex()}", None)


async def test_the_head_says_how_vague_it_is_and_whether_the_chain_moved(
    redis_server: RedisServer, redis: Any, chain: ZbusChain
) -> None:
    async with gateway(redis_server) as asked:
        first = await chain.head(HeadKind.BEST)
        assert first is not None
        asked.ahead_s = 6
        second = await chain.head(HeadKind.BEST)
        assert second is not None
        assert (first.uncertainty_s, first.seen_s_max) == (999, float("inf"))
        assert second.seen_s_max is not None
        assert second.seen_s_max < 60
        assert abs(second.off_by_s(time.time() + 6)) < 10


class SlowClock(SystemClock):
    """Between two looks at it 100 seconds pass."""

    now_s = 0.0

    def monotonic(self) -> float:
        self.now_s += 100
        return self.now_s


@pytest.mark.parametrize(("failing", "time"), [(set(), "go"), (set(), "exact"), ({"GetTime"}, "go")])
async def test_a_report_that_took_longer_than_the_chain_forgives_is_uncertain(
    redis_server: RedisServer, redis: Any, client: ZbusClient, failing: set[str], time: str
) -> None:
    async with gateway(redis_server) as asked:
        asked.failing, asked.time, asked.ahead_s = failing, time, 100
        with pytest.raises(ExtrinsicUncertain, match="took 100 s"):
            await ZbusChain(client, SlowClock(), timeout_s=patient(20)).report_uptime(sample)
