"""Blocks and their power-target events: the port `ChainBlocks` on a Substrate node."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from app.adapters.substrate.answers import Changes, Header, RuntimeVersion, read
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.records import PALLET
from app.adapters.substrate.rpc import Request, RpcConnection
from app.adapters.substrate.rpc_errors import RpcRefused
from app.domain.errors import ChainUnavailable
from app.domain.events import PowerTargetChanged
from app.domain.model import FarmId, NodeId, Power
from app.ports.chain_blocks import Block, BlockRef

if TYPE_CHECKING:
    from app.adapters.substrate.runtime import Runtime

EVENT = "PowerTargetChanged"


@dataclass(frozen=True, slots=True)
class _Raw:
    """A block as the node gave it; without its state it has ``pruned``, the node's reason."""

    ref: BlockRef
    parent_hash: str
    code_version: int
    values: Mapping[str, str]
    pruned: str = ""


class SubstrateBlocks:
    """`ChainBlocks`. A best head that stands still for ``head_timeout_s`` is `ChainUnavailable`."""

    def __init__(self, client: SubstrateClient, *, head_timeout_s: float = 60.0) -> None:
        self._client = client
        self._head_timeout_s = head_timeout_s

    async def next_head(self, after: BlockRef | None) -> BlockRef:
        """The best head, as soon as it is another than ``after``."""
        try:
            async with asyncio.timeout(self._head_timeout_s):
                return await self._client.ask(lambda connection: _next_head(connection, after))
        except TimeoutError:
            self._client.saw_no_head(self._head_timeout_s)
            raise ChainUnavailable(f"the chain had no new block for {self._head_timeout_s:g} s") from None

    async def blocks(self, first: int, last: int) -> Sequence[Block]:
        """Blocks of the best chain with their events, read in two batches."""
        return await self._client.ask(lambda connection: self._blocks(connection, first, last))

    async def _blocks(self, connection: RpcConnection, first: int, last: int) -> Sequence[Block]:
        requests: list[Request] = [("chain_getBlockHash", [number]) for number in range(first, last + 1)]
        refs = []
        for number, answer in enumerate(await connection.batch(requests), first):
            if read(connection.name, str | None, answer) is None:  # type: ignore[arg-type]
                break  # the chain is shorter now
            refs.append(BlockRef(number, answer))
        if not refs:
            return []
        runtime = await self._client.any_runtime(connection, refs[-1].hash)
        raws = await self._fetch(connection, runtime, refs)
        blocks: list[Block] = []
        while len(blocks) < len(raws):
            rest = raws[len(blocks) :]
            read_on, spec = await self._client.compute(partial(_read_blocks, runtime, rest))
            blocks += read_on
            if len(read_on) < len(rest):
                raw = rest[len(read_on)]
                source = raw.ref.hash if raw.code_version == spec else raw.parent_hash
                runtime = await self._client.runtime(connection, spec, source)
        return blocks

    async def _fetch(self, connection: RpcConnection, runtime: Runtime, refs: Sequence[BlockRef]) -> Sequence[_Raw]:
        keys = await self._client.compute(lambda: [runtime.key("System", "Events"), *runtime.upgrade_keys])
        requests: list[Request] = []
        for ref in refs:
            requests.append(("chain_getHeader", [ref.hash]))
            requests.append(("state_getRuntimeVersion", [ref.hash]))
            requests.append(("state_queryStorageAt", [keys, ref.hash]))
        answers = await connection.batch(requests)
        return [_raw(connection, ref, *answers[3 * i : 3 * i + 3]) for i, ref in enumerate(refs)]


async def _next_head(connection: RpcConnection, after: BlockRef | None) -> BlockRef:
    heads = await connection.subscribe("chain_subscribeNewHeads")
    try:
        while True:
            block_hash = await connection.ask_for(str, "chain_getHead")
            header = await connection.ask_for(Header, "chain_getHeader", block_hash)
            head = BlockRef(header.height, block_hash)
            if head != after:
                return head
            await heads.next()
    finally:
        connection.unsubscribe("chain_unsubscribeNewHeads", heads)


def _raw(connection: RpcConnection, ref: BlockRef, header: Any, version: Any, changes: Any) -> _Raw:
    parent = read(connection.name, Header, header).parent_hash
    for answer in (version, changes):
        if isinstance(answer, RpcRefused):
            return _Raw(ref, parent, 0, {}, pruned=f"{connection.name} says: {answer}")
    values = {
        key: value
        for group in read(connection.name, list[Changes], changes)
        for key, value in group.changes
        if value is not None
    }
    code_version = read(connection.name, RuntimeVersion, version).spec_version
    return _Raw(ref, parent, code_version, values)


def _read_blocks(runtime: Runtime, raws: Sequence[_Raw]) -> tuple[list[Block], int]:
    """As many blocks as this runtime executed, and the spec version that executed the next one."""
    blocks: list[Block] = []
    tag = runtime.event_tag(PALLET, EVENT)
    key = runtime.key("System", "Events")
    for raw in raws:
        if raw.pruned:
            blocks.append(Block(raw.ref, raw.parent_hash, (), raw.pruned))
            continue
        spec = runtime.spec_of_block(raw.values) or raw.code_version
        if spec != runtime.spec_version:
            return blocks, spec
        events = raw.values.get(key, "0x")
        # Reading all events of a block takes milliseconds, finding that none is of our kind nothing.
        if tag is None or tag not in bytes.fromhex(events[2:]):
            blocks.append(Block(raw.ref, raw.parent_hash, ()))
            continue
        blocks.append(_block(runtime, raw, events))
    return blocks, runtime.spec_version


def _block(runtime: Runtime, raw: _Raw, events: str) -> Block:
    try:
        changes = tuple(
            PowerTargetChanged(
                FarmId(event.attributes["farm_id"]),
                NodeId(event.attributes["node_id"]),
                Power(event.attributes["power_target"]),
            )
            for event in runtime.events(events)
            if (event.pallet, event.name) == (PALLET, EVENT)
        )
    except (ValueError, KeyError, TypeError) as error:
        return Block(raw.ref, raw.parent_hash, (), f"its events can't be read: {error}")
    return Block(raw.ref, raw.parent_hash, changes)
