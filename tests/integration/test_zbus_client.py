"""The zbus client on a real Redis server: answers, deadlines, withdrawals, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.adapters.codecs.go_types import UINT32
from app.adapters.codecs.zbus_frames import ObjectId, Request, Response, encode_response
from app.adapters.zbus.client import BrokenAnswer, CallFailed, CallRefused, NoAnswer, ZbusClient
from app.adapters.zbus.neighbours import NODE_ID, REGISTRAR, SET_NODE_POWER_STATE, Remote, RemoteMethod
from app.entrypoints.demo.redis_server import RedisServer
from tests.rigs.redis import hand, own_server
from tests.rigs.redis_proxy import Command, proxy_before
from tests.rigs.zbus_neighbour import neighbour, says
from tests.slowness import patient

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

DOUBLED = RemoteMethod(REGISTRAR, "NodeID", (UINT32,), UINT32)
QUEUE = "registrar.registrar@0.0.1"
SEVEN = b"\xce\x00\x00\x00\x07"


@pytest.fixture
def server(redis_server: RedisServer, redis: Any) -> RedisServer:
    return redis_server


@pytest.fixture
async def client(server: RedisServer) -> AsyncIterator[ZbusClient]:
    made = ZbusClient(server.url())
    yield made
    await made.close()


def keys(server: RedisServer) -> list[bytes]:
    """All there are but the bell, which goes by itself."""
    with hand(server.url()) as redis:
        return [key for key in redis.keys("*") if not key.startswith(b"powerd:zbus:")]


async def queued(server: RedisServer) -> None:
    """Until a call stands on the neighbour's list."""
    with hand(server.url()) as redis:
        assert await asyncio.to_thread(redis.blmove, QUEUE, QUEUE, 10, "LEFT", "LEFT")


async def node_id(client: ZbusClient, *inputs: int, timeout_s: float = patient(20)) -> Any:
    return await client.call(DOUBLED if inputs else NODE_ID, *inputs, timeout_s=timeout_s)


async def test_a_call_gets_its_answer_and_leaves_nothing(server: RedisServer, client: ZbusClient) -> None:
    async with neighbour(server.url(), QUEUE, says(SEVEN)) as seen:
        assert await node_id(client, 5) == 7
    (request,) = seen
    assert (request.object, request.method) == (REGISTRAR.object, "NodeID")
    assert request.inputs == (b"\xce\x00\x00\x00\x05",)
    assert request.reply_to == request.id
    assert keys(server) == []


async def test_the_methods_own_error(server: RedisServer, client: ZbusClient) -> None:
    error = "registration is still in progress"
    async with neighbour(server.url(), QUEUE, says(b"\xce\x00\x00\x00\x00", call_error=error)):
        with pytest.raises(CallFailed, match=f"registrar.NodeID: {error}"):
            await node_id(client)


@pytest.mark.parametrize("error", ["not a function", ""])
async def test_a_call_that_is_refused(server: RedisServer, client: ZbusClient, error: str) -> None:
    async with neighbour(server.url(), QUEUE, says(None, error=error)):
        with pytest.raises(CallRefused, match=r"registrar.NodeID is refused"):
            await node_id(client)


async def test_an_answer_that_is_none(server: RedisServer, client: ZbusClient) -> None:
    async def rubbish(_: Request) -> bytes:
        return b"hello"

    async with neighbour(server.url(), QUEUE, rubbish):
        with pytest.raises(BrokenAnswer, match=r"no MessagePack|an integer"):
            await node_id(client)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (b"\xd3" + bytes(7) + b"\x07", ""),
        (b"\xd0\xff", "is -1, which is no uint32"),
        (b"\xcf\x00\x00\x00\x01\x00\x00\x00\x00", "which is no uint32"),
        (b"\xc0", "is nil, not a uint32"),
        (b"\xca\x40\xe0\x00\x00", "is a float, not a uint32"),
        (b"", "is missing"),
        (None, "is missing"),
    ],
)
async def test_a_value_that_go_would_take_for_another_is_broken(
    server: RedisServer, client: ZbusClient, answer: bytes | None, complaint: str
) -> None:
    async with neighbour(server.url(), QUEUE, says(answer)):
        if not complaint:
            assert await node_id(client) == 7
            return
        with pytest.raises(BrokenAnswer, match=complaint):
            await node_id(client)


async def test_a_reply_to_another_call_is_broken(server: RedisServer, client: ZbusClient) -> None:
    async def other(_: Request) -> bytes:
        return encode_response(Response("other", SEVEN))

    async with neighbour(server.url(), QUEUE, other):
        with pytest.raises(BrokenAnswer, match="it answers the call other"):
            await node_id(client)


async def test_a_call_handed_in_waits_for_no_answer(server: RedisServer, client: ZbusClient) -> None:
    await client.post(SET_NODE_POWER_STATE, True, timeout_s=patient(20))
    with hand(server.url()) as redis:
        assert redis.llen("api-gateway.api-gateway@0.0.1") == 1


async def test_a_call_that_no_server_takes_is_withdrawn_at_its_deadline(
    server: RedisServer, client: ZbusClient
) -> None:
    with pytest.raises(NoAnswer, match=r"NodeID did not answer within") as caught:
        await node_id(client, timeout_s=patient(1))
    assert caught.value.withdrawn
    assert keys(server) == []


async def test_a_call_that_was_taken_can_not_be_withdrawn(server: RedisServer, client: ZbusClient) -> None:
    async def hang(_: Request) -> None:
        return None

    async with neighbour(server.url(), QUEUE, hang) as seen:
        with pytest.raises(NoAnswer) as caught:
            await node_id(client, timeout_s=patient(2))
        assert len(seen) == 1
    assert not caught.value.withdrawn


async def test_a_cancelled_call_is_withdrawn(server: RedisServer, client: ZbusClient) -> None:
    calling = asyncio.create_task(node_id(client))
    await queued(server)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert keys(server) == []


async def test_a_call_that_is_cancelled_while_it_is_being_withdrawn_is_withdrawn(
    server: RedisServer, client: ZbusClient
) -> None:
    calling = asyncio.create_task(node_id(client, timeout_s=2))
    await queued(server)
    async with client._sending.use():  # another call is being sent when its time is up
        await asyncio.wait([calling], timeout=2.5)
        calling.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert keys(server) == []


async def test_many_calls_at_once_over_two_connections(server: RedisServer, client: ZbusClient) -> None:
    async def echo(request: Request) -> bytes:
        return encode_response(Response(request.id, request.inputs[0]))

    async with neighbour(server.url(), QUEUE, echo):
        with hand(server.url()) as redis:
            before = int(redis.info("clients")["connected_clients"])
            values = list(range(300))
            assert await asyncio.gather(*(node_id(client, value, timeout_s=50) for value in values)) == values
            assert int(redis.info("clients")["connected_clients"]) <= before + 3, "the neighbour's own among them"


async def test_a_slow_neighbour_delays_no_other(server: RedisServer, client: ZbusClient) -> None:
    slow = asyncio.create_task(
        client.call(RemoteMethod(Remote("slow", ObjectId("slow")), "Wait", (), None), timeout_s=3600)
    )
    async with neighbour(server.url(), QUEUE, says(SEVEN)):
        for _ in range(10):
            assert await node_id(client, timeout_s=20) == 7
    slow.cancel()
    await asyncio.wait([slow])


async def test_an_answer_to_another_client_is_left_alone(server: RedisServer, client: ZbusClient) -> None:
    with hand(server.url()) as redis:
        redis.rpush("another-client", b"answer")
        async with neighbour(server.url(), QUEUE, says(SEVEN)):
            assert await node_id(client) == 7
        assert redis.lrange("another-client", 0, -1) == [b"answer"]


async def test_redis_that_dies_fails_the_call_and_the_next_one_works() -> None:
    with own_server() as server:
        client = ZbusClient(server.url())
        try:
            calling = asyncio.create_task(node_id(client))
            await queued(server)
            await asyncio.to_thread(server.kill)
            with pytest.raises(NoAnswer) as caught:
                await calling
            assert not caught.value.withdrawn
            await asyncio.to_thread(server.start)
            async with neighbour(server.url(), QUEUE, says(SEVEN)):
                assert await node_id(client) == 7
        finally:
            await client.close()


@pytest.mark.parametrize("nonsense", [b"+OK", b"*2\r\n*0\r\n*0", b"*1\r\n" * 2000], ids=lambda reply: ascii(reply[:20]))
async def test_a_redis_that_talks_nonsense_fails_the_call_and_the_next_one_works(
    server: RedisServer, nonsense: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    left = [nonsense + b"\r\n"]

    def answer(command: Command) -> bytes | None:
        return left.pop() if command[0] == b"BLPOP" and left else None

    async with proxy_before(server, answer) as proxy:
        client = ZbusClient(proxy.url)
        try:
            with pytest.raises(NoAnswer, match="can't be read"):
                await node_id(client)
            async with neighbour(server.url(), QUEUE, says(SEVEN)):
                assert await node_id(client) == 7
        finally:
            await client.close()
    assert not caplog.records


async def test_a_call_that_fails_twice_is_one_error(caplog: pytest.LogCaptureFixture) -> None:
    """It could not be sent; and while it is withdrawn, the answers that it waited for break off."""
    with own_server() as server:
        client = ZbusClient(server.url())
        first = asyncio.create_task(node_id(client))
        await queued(server)
        server.freeze()
        ended = await asyncio.gather(first, node_id(client), return_exceptions=True)
        server.thaw()
        await client.close()
    assert [type(error) for error in ended] == [NoAnswer, NoAnswer]
    del first, ended  # their tracebacks hold what would complain when it is freed
    gc.collect()
    assert not caplog.records


async def test_closing_fails_what_waits(server: RedisServer) -> None:
    client: Any = ZbusClient(server.url())
    calling = asyncio.create_task(node_id(client))
    await queued(server)
    await client.close()
    with pytest.raises(NoAnswer, match="closed"):
        await calling
    with pytest.raises(NoAnswer, match="closed"):
        await node_id(client)
