"""Blocks and their power-target events: the port `ChainBlocks` on a Substrate node."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from app.adapters.libraries.timeouts import timeout
from app.adapters.substrate.answers import Header, RuntimeVersion, read
from app.adapters.substrate.block_events import RawBlock, fetch, read_blocks
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.rpc import Request, RpcConnection
from app.domain.errors import ChainUnavailable
from app.ports.chain_blocks import Block, BlockRef


class SubstrateBlocks:
    """`ChainBlocks`. `next_head` raises `ChainUnavailable` when no new head comes for ``head_timeout_s``."""

    def __init__(self, client: SubstrateClient, *, head_timeout_s: float = 60.0) -> None:
        self._client = client
        self._head_timeout_s = head_timeout_s

    async def next_head(self, after: BlockRef | None) -> BlockRef:
        """The best head, as soon as it is not ``after``."""
        try:
            async with timeout(self._head_timeout_s):
                return await self._client.ask(lambda connection: _next_head(connection, after))
        except TimeoutError:
            self._client.endpoints.lagging(self._head_timeout_s)
            raise ChainUnavailable(f"the chain had no new block for {self._head_timeout_s:g} s") from None

    async def blocks(self, first: int, last: int) -> Sequence[Block]:
        """Blocks of the best chain with their events, read in two batches.

        If the endpoint has pruned the state of a block, the other endpoints are asked before the block
        counts as unreadable.
        """
        raws = await self._client.ask(lambda connection: self._raw_blocks(connection, first, last))
        pruned = [raw.ref for raw in raws if raw.pruned]
        if pruned:
            found = await self._client.ask_elsewhere(lambda connection: self._unpruned(connection, pruned))
            raws = [(found or {}).get(raw.ref, raw) for raw in raws]
        return await self._client.ask(lambda connection: self._decode(connection, raws))

    async def _raw_blocks(self, connection: RpcConnection, first: int, last: int) -> Sequence[RawBlock]:
        requests: list[Request] = [("chain_getBlockHash", [number]) for number in range(first, last + 1)]
        refs = []
        for number, answer in enumerate(await connection.batch(requests), first):
            if answer is None:
                break  # the chain is shorter now
            refs.append(BlockRef(number, read(connection.name, str, answer)))
        return await self._fetch(connection, refs) if refs else []

    async def _fetch(self, connection: RpcConnection, refs: Sequence[BlockRef]) -> Sequence[RawBlock]:
        runtime = await self._client.any_runtime(connection)
        keys = await self._client.compute(lambda: [runtime.key("System", "Events"), *runtime.upgrade_keys])
        return await fetch(connection, refs, keys)

    async def _unpruned(self, connection: RpcConnection, refs: Sequence[BlockRef]) -> dict[BlockRef, RawBlock] | None:
        raws = await self._fetch(connection, refs)
        return None if any(raw.pruned for raw in raws) else {raw.ref: raw for raw in raws}

    async def _decode(self, connection: RpcConnection, raws: Sequence[RawBlock]) -> Sequence[Block]:
        """Decode each block by the runtime that executed it, which is loaded if it is not in memory."""
        blocks: list[Block] = []
        while len(blocks) < len(raws):
            rest = raws[len(blocks) :]
            runtime = await self._client.any_runtime(connection, rest[0].ref.hash)
            done, spec = await self._client.compute(partial(read_blocks, runtime, rest))
            blocks += done
            if len(done) < len(rest):
                raw = rest[len(done)]
                # The block of an upgrade has the new code in its state; the old one is in its parent's.
                version = await connection.ask_for(RuntimeVersion, "state_getRuntimeVersion", raw.ref.hash)
                source = raw.ref.hash if version.spec_version == spec else raw.parent_hash
                await self._client.runtime(connection, spec, source)
        return blocks


async def _next_head(connection: RpcConnection, after: BlockRef | None) -> BlockRef:
    heads = await connection.subscribe("chain_subscribeNewHeads", end="chain_unsubscribeNewHeads")
    try:
        while True:
            block_hash = await connection.ask_for(str, "chain_getHead")
            header = await connection.ask_for(Header, "chain_getHeader", block_hash)
            head = BlockRef(header.height, block_hash)
            if head != after:
                return head
            await heads.next()
    finally:
        connection.unsubscribe(heads)
