"""``powerd events`` as a process: no event is lost, whatever chain, Redis and its own files do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from app.adapters.codecs.power_target import decode
from app.adapters.files.block_cursor import FileBlockCursor
from app.domain.model import Power
from tests.rigs.node import ME, PATIENCE_S, PEER, STOPS_S, Node, node_rig
from tests.rigs.redis import hand
from tests.slowness import patient

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

STREAM = "stream:power-target"

Change = tuple[int, Power]


def published(node: Node) -> Sequence[Change]:
    """What stands in the stream."""
    with hand(node.redis.url()) as redis:
        changes = [decode(fields[b"body"]) for _, fields in redis.xrange(STREAM)]
    return [(each.node_id, Power.UP if each.is_up else Power.DOWN) for each in changes]


async def until_published(node: Node, wanted: Sequence[Change]) -> None:
    """Until the stream has these in this order, others in between."""
    async with asyncio.timeout(PATIENCE_S):
        while not _within(wanted, published(node)):
            await node.blocks_pass(1)


def _within(wanted: Sequence[Change], found: Sequence[Change]) -> bool:
    rest = iter(found)
    return all(change in rest for change in wanted)


async def change(node: Node, count: int, first: Power = Power.DOWN) -> list[Change]:
    """The farmer changes his mind so often, about each of the two nodes."""
    made = []
    for number in range(count):
        target = first if number % 2 == 0 else (Power.UP if first is Power.DOWN else Power.DOWN)
        for each in (ME, PEER):
            await node.set_target(target, each)
            made.append((int(each), target))
    return made


async def following(node: Node) -> None:
    """It runs, and has its place in the chain."""
    await node.follower.start()
    async with asyncio.timeout(PATIENCE_S):
        while await FileBlockCursor(node.directory / "cursor.json").load() is None:
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
        await node.follower.says("Setback")
        await asyncio.to_thread(node.redis.start)
        await until_published(node, changes)


async def test_a_torn_cursor_is_told_and_it_goes_on_from_now() -> None:
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
