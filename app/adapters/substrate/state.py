"""Reading storage: all of one block, and by the runtime that wrote it.

One round trip finds the head, a second one gets its header, its time and all values. The runtime
that executed a block stands in the block's own ``System.LastRuntimeUpgrade``, which is read along:
when it is not the one in memory, the right one is loaded and the values are asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from app.adapters.substrate.answers import Changes, Header, RuntimeVersion, read
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.rpc import Request, RpcConnection
from app.adapters.substrate.rpc_errors import EndpointFailed
from app.domain.model import Head, HeadKind

if TYPE_CHECKING:
    from app.adapters.substrate.runtime import Runtime

KeysOf = Callable[["Runtime"], Sequence[str]]

HEAD_METHODS = {HeadKind.BEST: "chain_getHead", HeadKind.FINALIZED: "chain_getFinalizedHead"}
KEYS_PER_REQUEST = 4096
UPGRADES_PER_READ = 3


@dataclass(frozen=True, slots=True)
class State:
    """Stored values of one block by storage key; a key without an entry is not among them."""

    head: Head
    parent_hash: str
    runtime: Runtime
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Raw:
    header: Header
    version: RuntimeVersion
    values: Mapping[str, str]


async def head_state(client: SubstrateClient, kind: HeadKind, keys_of: KeysOf) -> State:
    """Values at the head of that kind; raises `ChainUnavailable`, `WrongChain`."""

    async def question(connection: RpcConnection) -> State:
        block_hash = await connection.ask_for(str, HEAD_METHODS[kind])
        return await state_at(client, connection, block_hash, kind, keys_of)

    state = await client.ask(question)
    if kind is HeadKind.BEST:
        client.saw_head(state.head.time_s)
    return state


async def state_at(
    client: SubstrateClient, connection: RpcConnection, block_hash: str, kind: HeadKind, keys_of: KeysOf
) -> State:
    """Values at one block; raises `EndpointFailed`, `RpcRefused` or `WrongChain`."""
    runtime = await client.any_runtime(connection, block_hash)
    for _ in range(UPGRADES_PER_READ):
        keys = await client.compute(partial(_keys, runtime, keys_of))
        raw = await _fetch(connection, block_hash, keys)
        try:
            spec, time_s = await client.compute(partial(_explain, runtime, raw))
        except ValueError as error:
            raise EndpointFailed(connection.name, f"block {block_hash} can't be read: {error}") from error
        if spec == runtime.spec_version:
            head = Head(kind, raw.header.height, block_hash, time_s)
            return State(head, raw.header.parent_hash, runtime, raw.values)
        # The block that brings an upgrade has the new code in its state, and its parent the old.
        source = block_hash if raw.version.spec_version == spec else raw.header.parent_hash
        runtime = await client.runtime(connection, spec, source)
    raise EndpointFailed(connection.name, "its runtime changes faster than it can be read")


def _keys(runtime: Runtime, keys_of: KeysOf) -> list[str]:
    return [runtime.key("Timestamp", "Now"), *runtime.upgrade_keys, *keys_of(runtime)]


def _explain(runtime: Runtime, raw: _Raw) -> tuple[int, float]:
    """The spec version that executed the block, and the block's time in Unix seconds."""
    spec = runtime.spec_of_block(raw.values) or raw.version.spec_version
    if spec != runtime.spec_version:
        return spec, 0.0
    milliseconds = runtime.value("Timestamp", "Now", raw.values.get(runtime.key("Timestamp", "Now")))
    return spec, milliseconds / 1000


async def _fetch(connection: RpcConnection, block_hash: str, keys: Sequence[str]) -> _Raw:
    requests: list[Request] = [
        ("chain_getHeader", [block_hash]),
        ("state_getRuntimeVersion", [block_hash]),
    ]
    for start in range(0, len(keys), KEYS_PER_REQUEST):
        part = list(keys[start : start + KEYS_PER_REQUEST])
        requests.append(("state_queryStorageAt", [part, block_hash]))
    header, version, *answers = await connection.batch(requests)
    values: dict[str, str] = {}
    for answer in answers:
        for group in read(connection.name, list[Changes], answer):
            values |= {key: value for key, value in group.changes if value is not None}
    return _Raw(
        read(connection.name, Header, header),
        read(connection.name, RuntimeVersion, version),
        values,
    )
