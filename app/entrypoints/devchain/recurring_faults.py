"""Recurring faults of the dev chain, which its command line asks for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.adapters.simulated.ledger_blocks import Block
from app.entrypoints.devchain.endpoint import Endpoint
from app.entrypoints.devchain.node import DevNode


@dataclass(frozen=True, slots=True)
class RecurringFaults:
    """The intervals; 0 means never. Only the first endpoint drops connections."""

    drop_connections_every_s: float = 0.0
    silent_after_s: float = 0.0
    reorganise_every_blocks: int = 0
    reorganise_depth: int = 1
    upgrade_every_blocks: int = 0


@asynccontextmanager
async def recurring(node: DevNode, endpoints: Sequence[Endpoint], faults: RecurringFaults) -> AsyncIterator[None]:
    """The faults come again and again while the body runs."""
    due = asyncio.Event()
    undo = node.when_changed(due.set)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_drop(endpoints[0], faults.drop_connections_every_s), name="drops"),
                group.create_task(_stop_answering(endpoints[0], faults.silent_after_s), name="silence"),
                group.create_task(_fork_and_upgrade(node, faults, due), name="forks and upgrades"),
            ]
            yield
            for task in tasks:
                task.cancel()
    finally:
        undo()


async def _drop(endpoint: Endpoint, every_s: float) -> None:
    while every_s:
        await asyncio.sleep(every_s)
        endpoint.drop_connections()


async def _stop_answering(endpoint: Endpoint, after_s: float) -> None:
    if after_s:
        await asyncio.sleep(after_s)
        endpoint.silent = True


async def _fork_and_upgrade(node: DevNode, faults: RecurringFaults, due: asyncio.Event) -> None:
    """Cause faults after a block, and not in the middle of one."""
    seen = node.ledger.best_number
    while True:
        await due.wait()
        due.clear()
        best = node.ledger.best
        if best.number <= seen:
            continue
        if _is_due(best, seen, faults.upgrade_every_blocks):
            node.upgrade_runtime()
        if _is_due(best, seen, faults.reorganise_every_blocks):
            node.fork(faults.reorganise_depth)
        seen = node.ledger.best_number


def _is_due(best: Block, seen: int, every: int) -> bool:
    return bool(every) and best.number // every > seen // every
