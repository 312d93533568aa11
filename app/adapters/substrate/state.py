"""Reads storage: all values from one block, decoded by the runtime that wrote them.

A block's own state has its number, its time and the version of the runtime that executed it
(``System.Number``, ``Timestamp.Now``, ``System.LastRuntimeUpgrade``). They are read with the values. So one
request reads the best head (Substrate's ``state_queryStorageAt`` without a hash). The finalized head takes
one more request, for its hash. If the runtime is not the one in memory, the right one is loaded, and the
values are read again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from app.adapters.substrate.answers import Changes, Header, RuntimeVersion, read
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.endpoints import ATTEMPTS
from app.adapters.substrate.rpc import Request, RpcConnection
from app.adapters.substrate.rpc_errors import EndpointFailed
from app.domain.errors import ChainUnavailable, WrongChain
from app.domain.model import Head, HeadKind

if TYPE_CHECKING:
    from app.adapters.substrate.runtime import Runtime

Content = TypeVar("Content")
Values = Mapping[str, str]
KeysOf = Callable[["Runtime"], Sequence[str]]
Reading = Callable[["Runtime", Values], Content]
"""Decodes the values, in the worker's thread, by the runtime that wrote them."""

KEYS_PER_REQUEST = 4096
UPGRADES_PER_READ = 3


@dataclass(frozen=True, slots=True)
class State(Generic[Content]):
    """Stored values of one block, by storage key, and what they mean. A key without an entry is not in ``values``."""

    head: Head
    runtime: Runtime
    values: Values
    content: Content


def undecoded(_: Runtime, __: Values) -> None:
    """The content of a state whose values the caller decodes."""


async def head_state(
    client: SubstrateClient, kind: HeadKind, keys_of: KeysOf, reading: Reading[Content]
) -> State[Content]:
    """Values at the head of that kind. Raises `ChainUnavailable`, `WrongChain`.

    If that head is too old, the other endpoints are asked too, and the newest head is used.
    """

    async def question(connection: RpcConnection) -> State[Content]:
        block_hash = None
        if kind is HeadKind.FINALIZED:
            block_hash = await connection.ask_for(str, "chain_getFinalizedHead")
        return await state_at(client, connection, block_hash, kind, keys_of, reading)

    state = await client.ask(question)
    for _ in range(ATTEMPTS):
        if not client.saw_head(state.head):
            break
        try:
            found = await client.ask(question)
        except (ChainUnavailable, WrongChain):
            break  # the old answer is returned; its reader checks its age
        state = max(state, found, key=lambda each: each.head.time_s)
    return state


def doubt_of(client: SubstrateClient, head: Head) -> str:
    """Why an entry that is absent at this head may exist by now; empty when there is no doubt (R6)."""
    return "the newest head of any endpoint is too old to say so" if client.is_stale(head) else ""


async def state_at(
    client: SubstrateClient,
    connection: RpcConnection,
    block_hash: str | None,
    kind: HeadKind,
    keys_of: KeysOf,
    reading: Reading[Content],
) -> State[Content]:
    """Values at one block (None: the best head). Raises `EndpointFailed`, `RpcRefused` or `WrongChain`."""
    runtime = await client.any_runtime(connection, block_hash)
    for _ in range(UPGRADES_PER_READ):
        keys = await client.compute(partial(_keys, runtime, keys_of))
        found, values = await _fetch(connection, keys, block_hash)
        decode = partial(_state, runtime, values, kind, found, reading)
        try:
            spec, state = await client.compute(partial(_if_its_own, runtime, values, decode))
            if spec is None:
                spec = (await _version_after(connection, found)).spec_version
                state = await client.compute(decode) if spec == runtime.spec_version else None
        except (ValueError, KeyError, TypeError) as error:
            raise EndpointFailed(connection.name, f"block {found} can't be read: {error}") from error
        if state is not None:
            return state
        runtime = await _runtime_of(client, connection, found, spec)
    raise EndpointFailed(connection.name, "its runtime changes faster than it can be read")


def _keys(runtime: Runtime, keys_of: KeysOf) -> list[str]:
    return [
        runtime.key("System", "Number"),
        runtime.key("Timestamp", "Now"),
        *runtime.upgrade_keys,
        *keys_of(runtime),
    ]


def _if_its_own(
    runtime: Runtime, values: Values, decode: Callable[[], State[Content]]
) -> tuple[int | None, State[Content] | None]:
    """The spec version that executed the block (None: not in its state), and the state if it is this runtime's."""
    spec = runtime.spec_of_block(values)
    return spec, decode() if spec == runtime.spec_version else None


def _state(
    runtime: Runtime, values: Values, kind: HeadKind, block_hash: str, reading: Reading[Content]
) -> State[Content]:
    number = runtime.value("System", "Number", values.get(runtime.key("System", "Number")))
    milliseconds = runtime.value("Timestamp", "Now", values.get(runtime.key("Timestamp", "Now")))
    head = Head(kind, number, block_hash, milliseconds / 1000)
    return State(head, runtime, values, reading(runtime, values))


async def _runtime_of(client: SubstrateClient, connection: RpcConnection, block_hash: str, spec: int) -> Runtime:
    """The runtime that executed that block. The state of an upgrade's block has the new code already."""
    source = block_hash
    if (await _version_after(connection, block_hash)).spec_version != spec:
        source = (await connection.ask_for(Header, "chain_getHeader", block_hash)).parent_hash
    return await client.runtime(connection, spec, source)


async def _version_after(connection: RpcConnection, block_hash: str) -> RuntimeVersion:
    """The version of the code in that block's state, which executes the next block."""
    return await connection.ask_for(RuntimeVersion, "state_getRuntimeVersion", block_hash)


async def _fetch(
    connection: RpcConnection, keys: Sequence[str], block_hash: str | None
) -> tuple[str, Mapping[str, str]]:
    """The hash of the block that was read, and its values. All requests read the block of the first answer."""
    first, *more = [list(keys[start : start + KEYS_PER_REQUEST]) for start in range(0, len(keys), KEYS_PER_REQUEST)]
    at = [] if block_hash is None else [block_hash]
    changes = _changes(connection, await connection.call("state_queryStorageAt", first, *at), block_hash)
    found = changes.block
    rest: list[Request] = [("state_queryStorageAt", [part, found]) for part in more]
    parts = [changes, *(_changes(connection, answer, found) for answer in await connection.batch(rest))]
    return found, {key: value for part in parts for key, value in part.changes if value is not None}


def _changes(connection: RpcConnection, answer: object, block_hash: str | None) -> Changes:
    groups = read(connection.name, list[Changes], answer)
    if len(groups) != 1 or block_hash not in (None, groups[0].block):
        answered = ", ".join(group.block for group in groups) or "no block"
        raise EndpointFailed(
            connection.name, f"was asked for {block_hash or 'the best block'}, and answered for {answered}"
        )
    return groups[0]
