"""The chain behind the api-gateway of Zero-OS 4, which has none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.adapters.codecs.go_types import INT64, UINT64
from app.adapters.linux.clock import SystemClock
from app.adapters.zbus.chain import ZbusChain
from app.adapters.zbus.client import ZbusClient
from app.adapters.zbus.server import Served
from app.domain.errors import ChainUnavailable, ExtrinsicUncertain, RetryableError
from app.domain.model import FarmId, HeadKind, Inclusion
from app.entrypoints.demo.redis_server import RedisServer
from app.entrypoints.neighbours.gateway_4 import Gateway4
from tests.rigs.zbus_gateway import BLOCK, GONE, HERE, UP, gateway, sample

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]


@pytest.fixture
async def chain(redis_server: RedisServer) -> AsyncIterator[ZbusChain]:
    client = ZbusClient(redis_server.url())
    yield ZbusChain(client, SystemClock(), timeout_s=30)
    await client.close()


async def test_the_gateway_of_zero_os_4_takes_the_uptime_and_has_no_power(
    redis_server: RedisServer, redis: Any, chain: ZbusChain, capsys: pytest.CaptureFixture[str]
) -> None:
    async with gateway(redis_server, Gateway4().methods()):
        assert await chain.head(HeadKind.BEST) is None
        assert "Zero-OS 4" in chain.lacks_power
        assert (await chain.powers([HERE, GONE], HeadKind.BEST)).powers == {HERE: UP, GONE: UP}
        assert await chain.nodes([HERE]) == {}
        assert await chain.farm_nodes(FarmId(1)) == ()
        taken = sample()
        assert await chain.report_uptime(lambda: taken) == Inclusion("", None)
    assert capsys.readouterr().out.split("\n") == [f'["UpdateNodeUptimeV2", 3600, {taken.taken_at_s}]', ""]


async def test_a_power_is_what_may_be_asked_first_of_zero_os_4(
    redis_server: RedisServer, redis: Any, chain: ZbusChain
) -> None:
    async with gateway(redis_server, Gateway4().methods()):
        assert (await chain.powers([HERE], HeadKind.BEST)).powers == {HERE: UP}


async def test_a_report_that_zero_os_4_does_not_take_failed(
    redis_server: RedisServer, redis: Any, chain: ZbusChain
) -> None:
    async def away(*_: int) -> None:
        raise RetryableError("the registrar is away")

    served = {**Gateway4().methods(), "UpdateNodeUptimeV2": Served((UINT64, INT64), None, away)}
    async with gateway(redis_server, served):
        with pytest.raises(ExtrinsicUncertain, match="the registrar is away"):
            await chain.report_uptime(sample)


async def test_a_node_that_is_updated_to_zero_os_4_or_back_is_found_out(
    redis_server: RedisServer, redis: Any, chain: ZbusChain
) -> None:
    async with gateway(redis_server):
        await chain.head(HeadKind.BEST)
        assert chain.lacks_power == ""
    async with gateway(redis_server, Gateway4().methods()):
        with pytest.raises(ChainUnavailable, match="expecting 0 got 1"):
            await chain.powers([HERE], HeadKind.BEST)
        assert await chain.report_uptime(sample) == Inclusion("", None)
        assert chain.lacks_power
    async with gateway(redis_server):
        assert await chain.report_uptime(sample) == Inclusion(f"0x{BLOCK.hex()}", None)
        assert chain.lacks_power == ""
