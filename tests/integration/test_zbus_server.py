"""The zbus server on a real Redis: Go's bytes, its limits, and neighbours that go away or misbehave."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from app.adapters.codecs.go_types import STRING, UINT32, decode, encode
from app.adapters.codecs.zbus_frames import ObjectId, Request, Response, decode_response, encode_request
from app.adapters.zbus.answers import REPLY_LIFE_S
from app.adapters.zbus.server import STATUS_TYPE, Served, ZbusServer
from app.domain.errors import RetryableError
from app.entrypoints.demo.redis_server import RedisServer
from tests.rigs.redis import hand, own_server
from tests.rigs.redis_proxy import Command, proxy_before
from tests.rigs.zbus_recorded import FOREIGN, RECORDED, recorded_servers, serving
from tests.slowness import patient

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

TRIAL = ObjectId("trial", "0.0.1")
QUEUE = f"trial.{TRIAL}"
PATIENCE_S = patient(30)


def trial(redis_server: RedisServer, methods: dict[str, Served], **options: Any) -> ZbusServer:
    return ZbusServer(redis_server.url(), "trial", {TRIAL: methods}, lambda: 0.0, **options)


def frame(method: str, *inputs: bytes, reply_to: str, object_: ObjectId = TRIAL) -> bytes:
    return encode_request(Request(reply_to, object_, method, inputs, reply_to))


async def answer(redis: Any, reply_to: str) -> bytes:
    taken = await asyncio.to_thread(redis.blpop, [reply_to], PATIENCE_S)
    assert taken is not None, f"nothing came on {reply_to}"
    return bytes(taken[1])


async def call(redis: Any, method: str, *inputs: bytes) -> Response:
    redis.rpush(QUEUE, frame(method, *inputs, reply_to="reply"))
    return decode_response(await answer(redis, "reply"))


async def status(redis: Any, module: str = "trial") -> Any:
    """Its answer is sent after those of all earlier calls, so the caller knows that those are complete."""
    redis.rpush(f"{module}.zbus@1.0", frame("", reply_to=f"status of {module}"))
    response = decode_response(await answer(redis, f"status of {module}"))
    return decode(STATUS_TYPE, response.data, "the status")


def served(method: Callable[..., Any], *inputs: Any, result: Any = UINT32) -> Served:
    return Served(inputs, result, method)


async def seven() -> int:
    return 7


SEVEN = {"Seven": served(seven)}


@pytest.mark.parametrize("call", RECORDED, ids=lambda call: str(call["name"]))
async def test_recorded_calls_get_the_recorded_bytes_which_live_five_minutes(
    redis_server: RedisServer, redis: Any, call: Any
) -> None:
    async with recorded_servers(redis_server.url()):
        redis.rpush(call["queue"], bytes.fromhex(call["request"]))
        reply_to = call["means"]["ReplyTo"]
        assert await asyncio.to_thread(redis.blmove, reply_to, reply_to, PATIENCE_S, "LEFT", "RIGHT")
        await status(redis, call["queue"].partition(".")[0])
        assert 0 < redis.ttl(reply_to) <= REPLY_LIFE_S == 300
        assert redis.lrange(reply_to, 0, -1) == [bytes.fromhex(call["response"])]


async def test_foreign_requests_get_the_recorded_bytes_or_are_dropped(redis_server: RedisServer, redis: Any) -> None:
    async with recorded_servers(redis_server.url()):
        for vector in FOREIGN:
            redis.rpush(vector["queue"], bytes.fromhex(vector["request"]))
            if vector["answered"]:
                got = await answer(redis, vector["reply_to"])
                assert got.hex() == vector["response"], vector["name"]
        for module in ("registrar", "zui", "api-gateway", "probe"):
            await status(redis, module)
        assert redis.keys("*") == [], "those that were dropped have no answer"


async def test_slow_calls_wait_in_redis_and_hold_the_status_up_no_longer(redis_server: RedisServer, redis: Any) -> None:
    begun: asyncio.Queue[None] = asyncio.Queue()
    go_on, at_once, most = asyncio.Event(), 0, 0

    async def slow() -> int:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        begun.put_nowait(None)
        await go_on.wait()
        at_once -= 1
        return 7

    async with serving(trial(redis_server, {"Slow": served(slow)}, workers=4)):
        for number in range(20):
            redis.rpush(QUEUE, frame("Slow", reply_to=f"slow {number}"))
        for _ in range(4):
            await begun.get()
        told = await status(redis)
        assert [each["State"] for each in told["Workers"]] == ["busy"] * 4
        assert {each["Action"] for each in told["Workers"]} == {"[trial@0.0.1].Slow()"}
        assert told["Objects"] == ({"Name": "trial", "Version": "0.0.1"},)
        assert redis.llen(QUEUE) == 16
        go_on.set()
        answers = [decode_response(await answer(redis, f"slow {number}")) for number in range(20)]
        assert {each.data for each in answers} == {b"\xce\x00\x00\x00\x07"}
        assert most == 4
        assert [each["State"] for each in (await status(redis))["Workers"]] == ["free"] * 4


async def test_a_call_that_takes_too_long_is_cut_and_answered_with_zero(redis_server: RedisServer, redis: Any) -> None:
    cut = asyncio.Event()

    async def hang() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()
        return 7

    async with serving(trial(redis_server, {"Hang": served(hang)}, call_s_max=0.1)):
        response = await call(redis, "Hang")
        assert (response.data, response.call_error) == (bytes.fromhex("ce00000000"), "no answer within 0.1 s")
        assert cut.is_set()


async def test_a_method_that_gives_up_by_itself_is_not_blamed_on_the_servers_limit(
    redis_server: RedisServer, redis: Any
) -> None:
    async def give_up() -> int:
        raise TimeoutError

    async with serving(trial(redis_server, {"GiveUp": served(give_up)})):
        assert (await call(redis, "GiveUp")).call_error == "it took too long"


async def test_an_error_without_a_text_is_an_error(redis_server: RedisServer, redis: Any) -> None:
    async def fail() -> int:
        raise RetryableError

    async with serving(trial(redis_server, {"Fail": served(fail)})):
        assert (await call(redis, "Fail")).call_error == "RetryableError"


async def test_a_bug_is_answered_as_a_panic_and_the_server_goes_on(
    redis_server: RedisServer, redis: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def bug() -> int:
        raise ZeroDivisionError("unexpected")

    async def lie() -> Any:
        return "seven"

    async def overflow() -> int:
        return 2**32

    methods = {"Bug": served(bug), "Lie": served(lie), "Overflow": served(overflow), **SEVEN}
    async with serving(trial(redis_server, methods, workers=1)):
        response = await call(redis, "Bug")
        assert response.error == "remote method call trial@0.0.1.Bug() paniced: unexpected"
        for name in ("Lie", "Overflow"):
            response = await call(redis, name)
            assert response.error is not None
            assert response.error.startswith(f"remote method call trial@0.0.1.{name}() paniced: ")
            assert response.data is None
        assert (await call(redis, "Seven")).data == b"\xce\x00\x00\x00\x07"
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 3


async def test_an_object_without_version_is_served_and_arguments_of_nil_are_zero(
    redis_server: RedisServer, redis: Any
) -> None:
    async def say(number: int, text: str) -> str:
        return f"{number} {text!r}"

    bare = ObjectId("bare")
    objects = {bare: {"Say": served(say, UINT32, STRING, result=STRING)}}
    async with serving(ZbusServer(redis_server.url(), "trial", objects, lambda: 0.0)):
        redis.rpush("trial.bare", frame("Say", b"\xc0", b"\xc0", reply_to="reply", object_=bare))
        assert decode(STRING, decode_response(await answer(redis, "reply")).data, "it") == "0 ''"


async def test_redis_that_dies_is_waited_for() -> None:
    with own_server() as server:
        async with serving(trial(server, SEVEN)):
            with hand(server.url()) as redis:
                await call(redis, "Seven")
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            with hand(server.url()) as redis:
                assert (await call(redis, "Seven")).data == b"\xce\x00\x00\x00\x07"
                assert len((await status(redis))["Workers"]) == 8


NONSENSE = (
    b"+OK",
    b":1",
    b"*1\r\n$1\r\na",
    b"*2\r\n*0\r\n*0",
    b"*2\r\n$1\r\na\r\n:5",
    b"*2\r\n$1\r\na\r\n$1\r\nb",
    b"*1\r\n" * 2000,
)


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda reply: ascii(reply[:20]))
async def test_a_redis_that_talks_nonsense_is_waited_for(
    redis_server: RedisServer, redis: Any, nonsense: bytes
) -> None:
    left = [nonsense + b"\r\n"] * 3

    def answer(command: Command) -> bytes | None:
        return left.pop() if command[0] == b"BLPOP" and left else None

    async with (
        proxy_before(redis_server, answer) as proxy,
        serving(ZbusServer(proxy.url, "trial", {TRIAL: SEVEN}, lambda: 0.0)),
    ):
        assert (await call(redis, "Seven")).data == b"\xce\x00\x00\x00\x07"
    assert not left


async def test_connections_that_are_killed_are_opened_again(redis_server: RedisServer, redis: Any) -> None:
    async with serving(trial(redis_server, SEVEN)):
        for _ in range(3):
            assert (await call(redis, "Seven")).data == b"\xce\x00\x00\x00\x07"
            await status(redis)
            redis.client_kill_filter(_type="normal", skipme=True)
        assert (await call(redis, "Seven")).data == b"\xce\x00\x00\x00\x07"


async def test_a_reply_key_of_another_type_is_left_as_it_was(redis_server: RedisServer, redis: Any) -> None:
    redis.set("mine", "text")
    async with serving(trial(redis_server, SEVEN)):
        redis.rpush(QUEUE, frame("Seven", reply_to="mine"))
        await call(redis, "Seven")
        await status(redis)
        assert (redis.get("mine"), redis.ttl("mine")) == (b"text", -1)


async def test_a_list_that_is_none_is_waited_for(
    redis_server: RedisServer, redis: Any, caplog: pytest.LogCaptureFixture
) -> None:
    redis.set(QUEUE, "text")
    async with serving(trial(redis_server, SEVEN)):
        await status(redis)
        redis.delete(QUEUE)
        assert (await call(redis, "Seven")).data == b"\xce\x00\x00\x00\x07"
    assert len([each for each in caplog.messages if "WRONGTYPE" in each]) == 1


async def test_a_hundred_callers_at_once_get_each_its_own_answer(redis_server: RedisServer, redis: Any) -> None:
    async def double(number: int) -> int:
        return 2 * number

    numbers = range(100)
    async with serving(trial(redis_server, {"Double": served(double, UINT32)})):
        rubbish = [b"", b"\xc1", frame("NoSuchMethod", reply_to="other"), frame("Double", b"\xa1x", reply_to="other")]
        calls = [frame("Double", encode(UINT32, number), reply_to=f"reply {number}") for number in numbers]
        redis.rpush(QUEUE, *rubbish, *calls, *rubbish)
        answers = [decode_response(await answer(redis, f"reply {number}")) for number in numbers]
        assert [decode(UINT32, each.data, "it") for each in answers] == [2 * number for number in numbers]
        await status(redis)
        assert redis.llen("other") == 4
        assert 0 < redis.ttl("other") <= REPLY_LIFE_S
        assert redis.keys("*") == [b"other"]


async def test_among_many_answers_a_reply_key_of_another_type_is_left_as_it_was(
    redis_server: RedisServer, redis: Any
) -> None:
    redis.set("reply 3", "a text")
    async with serving(trial(redis_server, SEVEN)):
        redis.rpush(QUEUE, *(frame("Seven", reply_to=f"reply {number}") for number in range(40)))
        for number in set(range(40)) - {3}:
            assert decode_response(await answer(redis, f"reply {number}")).data == encode(UINT32, 7)
        await status(redis)
    assert (redis.get("reply 3"), redis.ttl("reply 3")) == (b"a text", -1)


async def test_a_crowd_at_one_object_does_not_hold_up_another(redis_server: RedisServer, redis: Any) -> None:
    other = ObjectId("other", "0.0.1")
    server = ZbusServer(redis_server.url(), "trial", {TRIAL: SEVEN, other: SEVEN}, lambda: 0.0)
    redis.rpush(QUEUE, *(frame("Seven", reply_to="crowd") for _ in range(200)))
    redis.rpush(f"trial.{other}", frame("Seven", reply_to="one", object_=other))
    async with serving(server):
        assert decode_response(await answer(redis, "one")).data == encode(UINT32, 7)


async def test_redis_that_restarts_under_a_crowd_is_found_again_and_later_calls_are_answered() -> None:
    with own_server() as server:
        async with serving(ZbusServer(server.url(), "trial", {TRIAL: SEVEN}, lambda: 0.0)):
            with hand(server.url()) as redis:
                redis.rpush(QUEUE, *(frame("Seven", reply_to="crowd") for _ in range(500)))
                await answer(redis, "crowd")
            server.kill()
            await asyncio.to_thread(server.start)
            with hand(server.url()) as redis:
                redis.rpush(QUEUE, *(frame("Seven", reply_to=f"reply {number}") for number in range(50)))
                for number in range(50):
                    assert decode_response(await answer(redis, f"reply {number}")).data == encode(UINT32, 7)


async def test_a_server_that_stops_loses_no_call(redis_server: RedisServer, redis: Any) -> None:
    callers, fetched = 2000, 0
    redis.rpush(QUEUE, *(frame("Seven", reply_to="crowd") for _ in range(callers)))
    for _ in range(15):
        async with serving(trial(redis_server, SEVEN)):
            await answer(redis, "crowd")
        fetched += 1
        assert fetched + redis.llen("crowd") + redis.llen(QUEUE) == callers
    async with serving(trial(redis_server, SEVEN)):
        await call(redis, "Seven")
        await status(redis)
        assert redis.keys("*") == [b"crowd"], "no bell is left"
        assert fetched + redis.llen("crowd") == callers


async def test_a_call_that_runs_when_the_server_stops_is_answered(redis_server: RedisServer, redis: Any) -> None:
    begun = asyncio.Event()

    async def hang() -> int:
        begun.set()
        await asyncio.Event().wait()
        return 7

    async with serving(trial(redis_server, {"Hang": served(hang)})):
        redis.rpush(QUEUE, frame("Hang", reply_to="reply"))
        await begun.wait()
    stopped = decode_response(redis.lpop("reply"))
    assert (stopped.data, stopped.call_error) == (encode(UINT32, 0), "the server stops")


async def test_callers_with_one_id_with_huge_ids_or_that_never_read_do_not_harm_others(
    redis_server: RedisServer, redis: Any
) -> None:
    huge = "x" * 500_000
    strange = [
        encode_request(Request("same", TRIAL, "Seven", (), "the same")),
        encode_request(Request(huge, TRIAL, "Seven", (), "huge")),
        encode_request(Request("2 MiB", TRIAL, "Seven", (bytes(2 << 20),), "refused")),
        encode_request(Request("unread", TRIAL, "Seven", (), "unread")),
    ]
    async with serving(trial(redis_server, SEVEN)):
        for number in range(100):
            redis.rpush(QUEUE, strange[number % 4], frame("Seven", reply_to=f"reply {number}"))
        for number in range(100):
            assert decode_response(await answer(redis, f"reply {number}")).data == encode(UINT32, 7)
        await status(redis)
        assert {key: redis.llen(key) for key in redis.keys("*")} == {b"the same": 25, b"huge": 25, b"unread": 25}
        assert decode_response(redis.lpop("huge")).id == huge
        assert all(0 < redis.ttl(key) <= REPLY_LIFE_S for key in redis.keys("*"))
