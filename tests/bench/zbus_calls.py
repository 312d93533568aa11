"""Calls over zbus, by powerd's client and by its server, beside the bare round trips through Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from time import perf_counter
from typing import Any
from uuid import uuid4

from app.adapters.zbus.client import ZbusClient
from app.adapters.zbus.neighbours import GATEWAY, GET_POWER_TARGET
from tests.bench.figure import Figure, Scale, percentile
from tests.bench.plain_redis import plain_redis
from tests.bench.zbus_responder import FLOOR_ANSWERS, FLOOR_CALLS, request
from tests.rigs.redis import own_server
from tests.rigs.zos import Neighbour

TURNS = 25
"""Floor, client and server take turns, so that other work of the machine affects all three."""

CALLERS = 100

Call = Callable[[], Awaitable[object]]


async def measure(scale: Scale) -> list[Figure]:
    """The medians of the turns: one call after the other, to a process and in a database for each of the three."""
    async with AsyncExitStack() as stack:
        server = stack.enter_context(own_server())
        urls = {kind: server.url(database) for database, kind in enumerate(("plain", "go", "ours"))}
        for kind, url in urls.items():
            responder = Neighbour(("tests.bench.zbus_responder", kind, url))
            stack.push_async_callback(responder.kill)
            await responder.start()
        plain = await stack.enter_async_context(plain_redis(urls["plain"]))
        by_hand = await stack.enter_async_context(plain_redis(urls["ours"]))
        client = ZbusClient(urls["go"])
        stack.push_async_callback(client.close)
        calls: dict[str, Call] = {
            "plain": lambda: _round_trip(plain, FLOOR_CALLS, FLOOR_ANSWERS, FRAME),
            "go": lambda: client.call(GET_POWER_TARGET, 2, timeout_s=60.0),
            "ours": lambda: _asked(by_hand),
        }
        loop = await stack.enter_async_context(plain_redis(urls["go"]))
        taken: dict[str, list[float]] = {kind: [] for kind in (*calls, "crowd", "crowd by loop")}
        for _ in range(TURNS):
            for kind, call in calls.items():
                taken[kind].append(await _us_per_call(call, scale.samples))
            taken["crowd by loop"].append(await _us_per_call(lambda: _crowd(loop), 2) / CALLERS)
            taken["crowd"].append(await _us_per_call(lambda: _crowd(by_hand), 2) / CALLERS)
    floor = percentile(taken["plain"], 50)
    return [
        _figure("a call that our client makes", percentile(taken["go"], 50), floor),
        _figure("a call that our server serves", percentile(taken["ours"], 50), floor),
        _crowd_figure(percentile(taken["crowd"], 50), percentile(taken["crowd by loop"], 50)),
    ]


FRAME = request("0" * 36)


def _figure(measure: str, value: float, floor: float) -> Figure:
    measure = f"{measure} ({1e6 / value:,.0f}/s)"
    return Figure(measure, value, "µs", "RPUSH + BLPOP, there and back", floor, value / floor, "≤ 2×")


def _crowd_figure(value: float, floor: float) -> Figure:
    measure = f"a call of {CALLERS} at once that our server serves ({1e6 / value:,.0f}/s)"
    return Figure(measure, value, "µs", "a loop: BLPOP, RPUSH + EXPIRE", floor, value / floor, "≤ 1×")


async def _us_per_call(call: Call, count: int) -> float:
    await call()
    began = perf_counter()
    for _ in range(count):
        await call()
    return (perf_counter() - began) / count * 1e6


async def _round_trip(redis: Any, calls: str, answers: str, frame: bytes) -> None:
    await redis.rpush(calls, frame)
    await redis.blpop([answers], timeout=0)


async def _asked(redis: Any) -> None:
    name = str(uuid4())
    await _round_trip(redis, GATEWAY.queue, name, request(name))


async def _crowd(redis: Any) -> None:
    """All callers push their calls at once, and each waits at its own list."""
    names = [str(uuid4()) for _ in range(CALLERS)]
    await redis.rpush(GATEWAY.queue, *(request(name) for name in names))
    answers = redis.pipeline(transaction=False)
    for name in names:
        answers.blpop([name], timeout=0)
    await answers.execute()
