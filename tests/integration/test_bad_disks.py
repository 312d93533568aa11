"""The programs on a real disk that is full, or can't be written: a node must not fall silent for that (R15)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.adapters.files.memory import FileMemory
from app.domain.blocks import BlockRef
from app.domain.model import Power
from tests.rigs.bad_disk import Kind, bad_disk
from tests.rigs.node import Node, node_rig
from tests.rigs.node_settings import PEER
from tests.rigs.program import PATIENCE_S, Program
from tests.rigs.published_changes import change, until_published

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

SAVING = "saving the place in the chain"


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[Program]:
    """Until the block ends, or the program was ended before."""
    await program.start()
    try:
        yield program
    finally:
        await program.end_if_running()


async def test_events_are_published_while_the_cursor_cannot_be_written_and_none_is_lost_afterwards() -> None:
    async with node_rig() as node:
        with bad_disk(node.directory / "disk", "full") as disk:
            cursor = disk.directory / "cursor.json"
            program = disk.program(node.follower, POWERD_FOLLOWER_CURSOR_FILE=str(cursor))
            async with running(program):
                assert "No space left" in (await program.says("OperationFailed", doing=SAVING))["facts"]["error"]
                changes = await change(node, 1)
                await until_published(node, changes)
                disk.make_room()
                await until_kept(node, FileMemory(disk / "cursor.json", BlockRef, "the cursor"))
                changes += await change(node, 1, first=Power.UP)
                await program.kill()
            changes += await change(node, 1)
            async with running(program):
                await until_published(node, changes)


async def until_kept(node: Node, cursor: FileMemory[BlockRef]) -> None:
    """The file is there; the disk is asked less and less often while it is full."""
    async with asyncio.timeout(PATIENCE_S):
        while await cursor.load() is None:
            await node.blocks_pass(1)


@pytest.mark.parametrize("kind", ["full", "read-only"])
async def test_a_node_on_it_reports_wakes_and_obeys(kind: Kind) -> None:
    async with node_rig() as node:
        with bad_disk(node.directory / "disk", kind) as disk:
            places = {
                "POWERD_BOOT_MEMORY_FILE": "boots.json",
                "POWERD_HOLDS_DIR": "holds",
                "POWERD_NIC_ARMED_FILE": "armed-cards",
                "POWERD_LOCK_DIR": "locks",
            }
            program = disk.program(node.daemon, **{name: str(disk.directory / file) for name, file in places.items()})
            async with running(program):
                await program.says("UptimeReported")
                await node.target(Power.UP, PEER)
                await program.says("WakeBurstStarted", node=int(PEER))
                await node.target(Power.DOWN)
                await program.says("PowerOffOrdered")
                assert node.orders[0] == "orderly"
                fault = await program.says("FaultRaised", key="boot-memory")
                assert "name another file (boot_memory.file)" in fault["facts"]["message"]
