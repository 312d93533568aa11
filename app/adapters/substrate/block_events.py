"""The events of a block, from the node's bytes to `PowerTargetChanged`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.adapters.substrate.answers import Changes, Header, read
from app.adapters.substrate.records import PALLET
from app.adapters.substrate.rpc import Request, RpcConnection
from app.adapters.substrate.rpc_errors import RpcRefused
from app.domain.events import PowerTargetChanged
from app.domain.model import FarmId, NodeId, Power
from app.domain.values import value
from app.ports.chain_blocks import Block, BlockRef

if TYPE_CHECKING:
    from app.adapters.substrate.runtime import Runtime

EVENT = "PowerTargetChanged"


@value
class RawBlock:
    """A block as the node sent it. ``pruned`` is empty, or says why the node has no state of it."""

    ref: BlockRef
    parent_hash: str
    values: Mapping[str, str]
    pruned: str = ""


async def fetch(connection: RpcConnection, refs: Sequence[BlockRef], keys: Sequence[str]) -> Sequence[RawBlock]:
    """Read these blocks in one batch. Raises `EndpointFailed`, `RpcRefused`."""
    requests: list[Request] = []
    for ref in refs:
        requests.append(("chain_getHeader", [ref.hash]))
        requests.append(("state_queryStorageAt", [list(keys), ref.hash]))
    answers = await connection.batch(requests)
    return [_raw_block(connection, ref, *answers[2 * i : 2 * i + 2]) for i, ref in enumerate(refs)]


def _raw_block(connection: RpcConnection, ref: BlockRef, header: Any, changes: Any) -> RawBlock:
    parent_hash = read(connection.name, Header, header).parent_hash
    if isinstance(changes, RpcRefused):
        return RawBlock(ref, parent_hash, {}, pruned=f"{connection.name} says: {changes}")
    values = {
        key: value
        for group in read(connection.name, list[Changes], changes)
        for key, value in group.changes
        if value is not None
    }
    return RawBlock(ref, parent_hash, values)


def read_blocks(runtime: Runtime, raws: Sequence[RawBlock]) -> tuple[list[Block], int]:
    """The leading blocks that this runtime executed, and the spec version that executed the next one.

    If a block's state has no spec version (perhaps the first block's), this runtime is assumed.
    """
    blocks: list[Block] = []
    tag = runtime.event_tag(PALLET, EVENT)
    for raw in raws:
        if raw.pruned:
            blocks.append(Block(raw.ref, raw.parent_hash, (), raw.pruned))
            continue
        try:
            spec = runtime.spec_of_block(raw.values) or runtime.spec_version
            if spec != runtime.spec_version:
                return blocks, spec
            changes = _changes(runtime, raw.values.get(runtime.key("System", "Events"), "0x00"), tag)
        except (ValueError, KeyError, TypeError) as error:
            blocks.append(Block(raw.ref, raw.parent_hash, (), f"its events can't be read: {error}"))
        else:
            blocks.append(Block(raw.ref, raw.parent_hash, changes))
    return blocks, runtime.spec_version


def _changes(runtime: Runtime, events: str, tag: bytes | None) -> tuple[PowerTargetChanged, ...]:
    # To decode all events of a block takes milliseconds. Most blocks have none of our kind, which
    # their bytes show at once.
    if tag is None or tag not in bytes.fromhex(events.removeprefix("0x")):
        return ()
    return tuple(
        PowerTargetChanged(
            FarmId(event.attributes["farm_id"]),
            NodeId(event.attributes["node_id"]),
            Power(event.attributes["power_target"]),
        )
        for event in runtime.events(events)
        if (event.pallet, event.name) == (PALLET, EVENT)
    )
