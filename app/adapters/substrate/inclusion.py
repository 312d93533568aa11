"""Finds an extrinsic in the chain's blocks, and its result there."""

from __future__ import annotations

from app.adapters.substrate.answers import Header, SignedBlock, read
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.outcomes import BlockOutcomes, FailedWith, Succeeded
from app.adapters.substrate.rpc import RpcConnection
from app.adapters.substrate.rpc_errors import EndpointFailed
from app.adapters.substrate.state import state_at
from app.domain.blocks import BlockRef
from app.domain.errors import ExtrinsicFailed
from app.domain.model import HeadKind, Inclusion
from app.domain.values import value


@value
class Signed:
    """A signed extrinsic (``0x…``), which is valid in the ``period`` - 1 blocks after ``birth``."""

    call: str
    data: str
    birth: BlockRef
    period: int
    nonce: int

    @property
    def last_block(self) -> int:
        """The number of the last block in which it is valid."""
        return self.birth.number + self.period - 1


@value
class Search:
    """The result of a search in all its possible blocks so far."""

    inclusion: Inclusion | None
    expired: bool


async def outcome_in(
    client: SubstrateClient, connection: RpcConnection, block_hash: str, signed: Signed
) -> Inclusion | None:
    """Its inclusion in that block; None when the block, as this node has it, does not contain it.

    Raises `ExtrinsicFailed` when it is in the block and failed; also `EndpointFailed`, `RpcRefused`.
    """
    block = await client.block_outcomes(block_hash, lambda: _outcomes(client, connection, block_hash))
    if block is None or signed.data not in block.extrinsics:
        return None
    match block.outcomes.get(block.extrinsics.index(signed.data)):
        case Succeeded():
            return Inclusion(block_hash, block.number)
        case FailedWith(error):
            raise ExtrinsicFailed(signed.call, error, block_hash)
        case None:
            reason = f"the events of block {block_hash} do not say how {signed.call} ended"
            raise EndpointFailed(connection.name, reason)


async def _outcomes(client: SubstrateClient, connection: RpcConnection, block_hash: str) -> BlockOutcomes | None:
    answer = await connection.call("chain_getBlock", block_hash)
    if answer is None:
        return None
    block = read(connection.name, SignedBlock, answer).block
    state = await state_at(
        client,
        connection,
        block_hash,
        HeadKind.BEST,
        lambda runtime: [runtime.key("System", "Events")],
        lambda runtime, values: runtime.outcomes(values.get(runtime.key("System", "Events"))),
    )
    assert state.head.number is not None
    return BlockOutcomes(state.head.number, block.extrinsics, state.content)


async def search(client: SubstrateClient, connection: RpcConnection, signed: Signed) -> Search:
    """Search the blocks of the best chain in which it is valid. Errors are those of `outcome_in`."""
    best = await connection.ask_for(Header, "chain_getHeader")
    last = min(best.height, signed.last_block)
    numbers = range(signed.birth.number + 1, last + 1)
    hashes = await connection.batch([("chain_getBlockHash", [number]) for number in numbers])
    known = [answer for answer in hashes if isinstance(answer, str)]
    blocks = await connection.batch([("chain_getBlock", [block_hash]) for block_hash in known])
    for block_hash, answer in zip(known, blocks, strict=True):
        if answer is not None and signed.data in read(connection.name, SignedBlock, answer).block.extrinsics:
            return Search(await outcome_in(client, connection, block_hash, signed), expired=False)
    return Search(None, expired=best.height >= signed.last_block)
