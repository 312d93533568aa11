"""``powerd events`` as a process: no event is lost, whatever chain, Redis and its own files do."""

from __future__ import annotations

import asyncio

import pytest

from app.adapters.files.memory import FileMemory
from app.domain.blocks import BlockRef
from app.domain.model import Power
from tests.rigs.node import Node, node_rig
from tests.rigs.program import PATIENCE_S, STOPS_S
from tests.rigs.published_changes import change, until_published
from tests.slowness import patient

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]


async def following(node: Node) -> None:
    """It runs, and has its place in the chain."""
    await node.follower.start()
    async with asyncio.timeout(PATIENCE_S):
        while await FileMemory(node.directory / "cursor.json", BlockRef, "the cursor").load() is None:
            await node.blocks_pass(1)


PLAGUES = {
    "reorganisations": ("--reorganise-every-blocks", "5", "--reorganise-depth", "2"),
    "dropped connections": ("--drop-connections-every-s", "0.7"),
    "runtime upgrades": ("--upgrade-every-blocks", f"{patient(18):.0f}"),
}


@pytest.mark.parametrize("recurring_fault", PLAGUES)
async def test_no_event_is_lost_under(recurring_fault: str) -> None:
    async with node_rig("--endpoints", "2", *PLAGUES[recurring_fault], urls=["{0}"], finality_lag=4) as node:
        await following(node)
        await until_published(node, await change(node, 4))


async def test_no_event_is_lost_when_it_is_killed_and_started_again() -> None:
    async with node_rig() as node:
        await following(node)
        changes = await change(node, 2)
        await node.follower.kill()
        changes += await change(node, 2)
        await following(node)
        await until_published(node, changes)


async def test_no_event_is_lost_while_redis_is_dead() -> None:
    async with node_rig() as node:
        await following(node)
        changes = await change(node, 1)
        await until_published(node, changes)
        await asyncio.to_thread(node.redis.kill)
        changes += await change(node, 2)
        await node.follower.says("OperationFailed")
        await asyncio.to_thread(node.redis.start)
        await until_published(node, changes)


async def test_a_torn_cursor_is_reported_and_the_follower_goes_on_from_now() -> None:
    async with node_rig() as node:
        await following(node)
        await until_published(node, await change(node, 1))
        await node.follower.kill()
        (node.directory / "cursor.json").write_text('{"number": 1')
        await following(node)
        await until_published(node, await change(node, 1, first=Power.UP))


async def test_it_stops_within_five_seconds() -> None:
    async with node_rig() as node:
        await following(node)
        assert await node.follower.stop() < STOPS_S
