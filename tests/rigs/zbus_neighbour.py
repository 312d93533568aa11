"""A neighbour that behaves like Go's zbus server: takes calls off its lists, and answers on the reply list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from app.adapters.codecs.zbus_frames import Request, Response, decode_request, encode_response
from app.adapters.redis.connection import Connection

REPLY_LIFE_S = 300
FOR_EVER_S = 3600.0

Answer = Callable[[Request], Awaitable[bytes | None]]
"""Returns the bytes to push, or None for no answer."""


@asynccontextmanager
async def neighbour(url: str, queue: str, answer: Answer) -> AsyncIterator[list[Request]]:
    """Answer one call after the other while the body runs; yields the calls that it saw."""
    seen: list[Request] = []
    connection = Connection(url, answer_s=FOR_EVER_S)

    async def serve() -> None:
        while True:
            async with connection.use() as redis:
                _, frame = await redis.blpop([queue], timeout=0)
                request = decode_request(frame)
                seen.append(request)
                reply = await answer(request)
                if reply is not None:
                    await redis.rpush(request.reply_to, reply)
                    await redis.expire(request.reply_to, REPLY_LIFE_S)

    serving = asyncio.create_task(serve())
    try:
        yield seen
    finally:
        serving.cancel()
        await asyncio.wait([serving])
        await connection.close()


def says(data: bytes | None, *, call_error: str = "", error: str | None = None) -> Answer:
    """The same answer to every call."""

    async def answer(request: Request) -> bytes:
        return encode_response(Response(request.id, data, call_error, error))

    return answer
