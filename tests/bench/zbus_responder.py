"""The other side of the `zbus` row, as a process: ``python -m tests.bench.zbus_responder plain|go|ours URL``.

All three take `GetPowerTarget` off a list and push its answer; ``ready`` is printed once they do.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Mapping
from typing import Any

from app.adapters.codecs.go_types import UINT32, encode
from app.adapters.codecs.zbus_frames import Request, Response, decode_request, encode_request, encode_response
from app.adapters.zbus.neighbours import GATEWAY, GET_POWER_TARGET, NODE_POWER
from app.adapters.zbus.server import Served, ZbusServer
from tests.bench.plain_redis import plain_redis

POWER: Mapping[str, Any] = NODE_POWER.zero
REPLY_LIFE_S = 300
FLOOR_CALLS, FLOOR_ANSWERS = "floor:calls", "floor:answers"


def request(name: str) -> bytes:
    """The bytes of a call; the answer goes to the list ``name``."""
    inputs = (encode(UINT32, 2),)
    return encode_request(Request(name, GATEWAY.object, GET_POWER_TARGET.name, inputs, reply_to=name))


def response(name: str) -> bytes:
    """The bytes of its answer."""
    return encode_response(Response(name, encode(NODE_POWER, POWER)))


async def plain(url: str) -> None:
    """Answers with the same bytes each time, and does not read the frame."""
    answer = response("0" * 36)
    async with plain_redis(url) as redis:
        while True:
            await redis.blpop([FLOOR_CALLS], timeout=0)
            await redis.rpush(FLOOR_ANSWERS, answer)


async def go(url: str) -> None:
    """Does what Go's server does for a call, without the work: takes it, pushes the answer and lets it expire."""
    async with plain_redis(url) as redis:
        while True:
            _, frame = await redis.blpop([GATEWAY.queue], timeout=0)
            asked = decode_request(frame)
            pipeline = redis.pipeline(transaction=False)
            pipeline.rpush(asked.reply_to, response(asked.id))
            pipeline.expire(asked.reply_to, REPLY_LIFE_S)
            await pipeline.execute()


async def ours(url: str) -> None:
    """Serves this one method by powerd's own server."""

    async def tell(_: int) -> Mapping[str, Any]:
        return POWER

    methods = {GET_POWER_TARGET.name: Served((UINT32,), NODE_POWER, tell)}
    await ZbusServer(url, GATEWAY.module, {GATEWAY.object: methods}, random.random).run()


if __name__ == "__main__":
    kind, broker = sys.argv[1:]
    print("ready", flush=True)
    asyncio.run({"plain": plain, "go": go, "ours": ours}[kind](broker))
