"""zinit on a real socket, as the tests of `ZinitHostPower` meet it: the stand-in, and listeners that say anything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.adapters.zinit.host_power import ZinitHostPower
from app.domain.errors import HostPowerFailed
from app.entrypoints.neighbours.zinit import Reply, ZinitStandIn
from tests.slowness import patient

LINES, FIRST_JSON_RPC, JSON_RPC = "v0.2.11", "v0.2.15", "v0.2.25"
EVERY = pytest.mark.parametrize("version", [LINES, FIRST_JSON_RPC, JSON_RPC])

OK = {"jsonrpc": "2.0", "id": 1, "result": None}
LISTED = {"jsonrpc": "2.0", "id": 1, "result": {"powerd": "Running"}}
LISTED_BY_LINE = {"state": "ok", "body": {"powerd": "Running"}}


def host(
    path: Path, version: str = LINES, timeout_s: float = patient(20), prompt_s: float = patient(10)
) -> ZinitHostPower:
    return ZinitHostPower(path, ("echo", "zinit", version), ("false",), ("false",), timeout_s, prompt_s)


@asynccontextmanager
async def zinit(path: Path, version: str, reply: Reply = Reply.OK) -> AsyncIterator[tuple[ZinitStandIn, list[str]]]:
    """The stand-in, and what it carried out."""
    done: list[str] = []

    async def act(order: str) -> None:
        done.append(order)

    stand_in = ZinitStandIn(path, version, act)
    stand_in.reply = reply
    async with stand_in.serving():
        yield stand_in, done


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listener(path: Path, talk: Talk) -> AsyncIterator[None]:
    """A listener at zinit's socket."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield
    finally:
        server.close()


def saying(*pieces: bytes) -> Talk:
    """Answers every order with these bytes, and closes; answers the question for the services as zinit does."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in listed(await reader.readline()) or pieces:
            writer.write(piece)
            await asyncio.sleep(0)

    return talk


def listed(request: bytes) -> tuple[bytes, ...]:
    """Answers the question for the list of services, and no order."""
    answer = LISTED if request.startswith(b"{") else LISTED_BY_LINE
    return (json.dumps(answer).encode(),) if b"list" in request else ()


async def complaint(order: Callable[[], Awaitable[None]]) -> str:
    with pytest.raises(HostPowerFailed) as caught:
        await order()
    return str(caught.value)
