"""A zinit that hangs: an order cannot be recalled, so powerd sends none before zinit has answered a question."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.adapters.zinit.host_power import ZinitHostPower
from app.entrypoints.neighbours.zinit import Reply
from tests.rigs.zinit import EVERY, JSON_RPC, LINES, complaint, host, listed, listener, zinit

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "zinit.sock"


def stopping(power: ZinitHostPower) -> Callable[[], Awaitable[None]]:
    async def ask() -> None:
        await power.stopping()

    return ask


@asynccontextmanager
async def unanswered(path: Path, word: bytes) -> AsyncIterator[tuple[asyncio.Event, asyncio.Event]]:
    """Never answers the request with that word; when it came, and when its connection was closed."""
    asked, closed = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readline()
        if word not in request:
            writer.writelines(listed(request))
            return
        asked.set()
        await reader.read()
        closed.set()

    async with listener(path, talk):
        yield asked, closed


async def cancelled_at(asked: asyncio.Event, power: ZinitHostPower) -> None:
    order = asyncio.ensure_future(power.power_off())
    await asked.wait()
    order.cancel()
    with pytest.raises(asyncio.CancelledError):
        await order


@EVERY
async def test_one_that_hangs_at_the_question_never_gets_the_order(path: Path, version: str) -> None:
    async with zinit(path, version, Reply.HANG) as (stand_in, done):
        power = host(path, version, prompt_s=0.2)
        for order in (power.power_off, power.reboot):
            said = await complaint(order)
            assert str(path) in said
            assert "no whole answer to a question within 0.2 s, so it was given no order" in said
        assert not await power.stopping()
        assert all(b"list" in request for request in stand_in.requests)
    assert not done


async def test_by_lines_an_order_without_an_answer_has_failed(path: Path) -> None:
    async with zinit(path, LINES, Reply.MUTE):
        power = host(path, LINES, timeout_s=2.0)
        assert "no whole answer to `shutdown` within 2 s" in await complaint(power.power_off)
        assert "does not say" in await complaint(stopping(power))


async def test_by_json_rpc_an_order_without_an_answer_is_under_way(path: Path) -> None:
    """zinit answers when all services are stopped, powerd among them."""
    async with zinit(path, JSON_RPC, Reply.MUTE):
        power = host(path, JSON_RPC, timeout_s=2.0)
        await power.power_off()
        assert "does not say" in await complaint(stopping(power))


@EVERY
async def test_a_cancelled_question_closes_the_connection_and_leaves_no_doubt(path: Path, version: str) -> None:
    async with unanswered(path, b"list") as (asked, closed):
        power = host(path, version)
        await cancelled_at(asked, power)
        assert not await power.stopping()
        await closed.wait()


@EVERY
async def test_a_cancelled_order_closes_the_connection_and_may_be_under_way(path: Path, version: str) -> None:
    async with unanswered(path, b"shutdown") as (asked, closed):
        power = host(path, version)
        await cancelled_at(asked, power)
        assert "does not say" in await complaint(stopping(power))
        await closed.wait()


@EVERY
async def test_after_a_refusal_nothing_is_under_way(path: Path, version: str) -> None:
    async with zinit(path, version, Reply.ERROR):
        power = host(path, version)
        await complaint(power.power_off)
        assert not await power.stopping()
