"""Changes of targets that a farmer makes on the dev chain, and those that a follower published in the stream."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from app.adapters.codecs.power_target import decode
from app.domain.model import Power
from tests.rigs.node import Node
from tests.rigs.node_settings import ME, PEER
from tests.rigs.program import PATIENCE_S
from tests.rigs.redis import hand

STREAM = "stream:power-target"

Change = tuple[int, Power]


def published(node: Node) -> Sequence[Change]:
    """The changes in the stream, oldest first."""
    with hand(node.redis.url()) as redis:
        changes = [decode(fields[b"body"]) for _, fields in redis.xrange(STREAM)]
    return [(each.node_id, Power.UP if each.is_up else Power.DOWN) for each in changes]


async def until_published(node: Node, wanted: Sequence[Change]) -> None:
    """Wait until the stream has these changes in this order. Others can be between them."""
    async with asyncio.timeout(PATIENCE_S):
        while not _within(wanted, published(node)):
            await node.blocks_pass(1)


def _within(wanted: Sequence[Change], found: Sequence[Change]) -> bool:
    rest = iter(found)
    return all(change in rest for change in wanted)


async def change(node: Node, count: int, first: Power = Power.DOWN) -> list[Change]:
    """Set the target of each of the two nodes ``count`` times, to ``first`` and its opposite in turn."""
    made = []
    for number in range(count):
        target = first if number % 2 == 0 else (Power.UP if first is Power.DOWN else Power.DOWN)
        for each in (ME, PEER):
            await node.set_target(target, each)
            made.append((int(each), target))
    return made
