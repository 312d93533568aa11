"""Finding an extrinsic in the chain's blocks, and what became of it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.adapters.substrate.answers import Header, SignedBlock, read
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.rpc import RpcConnection
from app.adapters.substrate.rpc_errors import EndpointFailed
from app.adapters.substrate.runtime_events import events_of
from app.domain.blocks import BlockRef
from app.domain.errors import ExtrinsicFailed
from app.domain.model import Inclusion


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed extrinsic (``0x…``). It can be included in the blocks behind ``birth``, before ``death``."""

    call: str
    data: str
    birth: BlockRef
    period: int

    @property
    def last_block(self) -> int:
        """The last block that can hold it."""
        return self.birth.number + self.period - 1


async def outcome_in(
    client: SubstrateClient, connection: RpcConnection, block_hash: str, signed: Signed
) -> Inclusion | None:
    """What became of it in that block; None when it is not in there.

    Raises `ExtrinsicFailed` when it was included and failed.
    """
    block = await connection.ask_for(SignedBlock, "chain_getBlock", block_hash)
