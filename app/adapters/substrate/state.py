"""Reads storage: all values from one block, decoded by the runtime that wrote them.

A block's own state has its number, its time and the version of the runtime that executed it
(``System.Number``, ``Timestamp.Now``, ``System.LastRuntimeUpgrade``). They are read with the values. So one
request reads the best head (Substrate's ``state_queryStorageAt`` without a hash). The finalized head takes
one more request, for its hash. If the runtime is not the one in memory, the right one is loaded, and the
values are read again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from app.adapters.substrate.answers import Changes, Header, RuntimeVersion, read
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.endpoints import ATTEMPTS
from app.adapters.substrate.rpc import Request, RpcConnection
from app.adapters.substrate.rpc_errors import EndpointFailed
from app.domain.errors import ChainUnavailable, WrongChain
from app.domain.model import Head, HeadKind
from app.domain.values import value

if TYPE_CHECKING:
    from app.adapters.substrate.runtime import Runtime

Content = TypeVar("Content")
Result = TypeVar("Result")
Values = Mapping[str, str]
KeysOf = Callable[["Runtime"], Sequence[str]]
Reading = Callable[["Runtime", Values], Content]
"""Decodes the values, in the worker's thread, by the runtime that wrote them."""

Question = Callable[[RpcConnection], Awaitable["State[Content]"]]

KEYS_PER_REQUEST = 4096
UPGRADES_PER_READ = 3


@value
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
    question = _at_head(client, kind, keys_of, reading)
    return await _newest(client, await client.ask(question), question)


async def both_heads(
    client: SubstrateClient, keys_of: KeysOf, reading: Reading[Content]
) -> tuple[State[Content], State[Content]]:
    """Values at the finalized head, and then at the best head. Errors and old heads: as `head_state`.

    Both are read in one batch, and a node may work on the two at the same time, or on the best head first. The
    order holds nevertheless: the batch is sent when the hash of the finalized head has come, and the values in that
    block never change. So the finalized head is older than the batch. The best head is chosen while the node
    answers the batch, as if it were asked alone; its answer can wait for the other one, within the same timeout.
    """

    async def question(connection: RpcConnection) -> tuple[State[Content], State[Content]]:
        final_hash = await connection.ask_for(str, "chain_getFinalizedHead")
        if both := await _both(client, connection, final_hash, keys_of, reading):
            return both
        finalized = await state_at(client, connection, final_hash, HeadKind.FINALIZED, keys_of, reading)
        return finalized, await state_at(client, connection, None, HeadKind.BEST, keys_of, reading)

    finalized, best = await client.ask(question)
    if client.is_stale(finalized.head):
        # Other endpoints may be asked for a newer one, and the best head must be read after that.
        finalized = await _newest(client, finalized, _at_head(client, HeadKind.FINALIZED, keys_of, reading))
        return finalized, await head_state(client, HeadKind.BEST, keys_of, reading)
    return finalized, await _newest(client, best, _at_head(client, HeadKind.BEST, keys_of, reading))


def _at_head(client: SubstrateClient, kind: HeadKind, keys_of: KeysOf, reading: Reading[Content]) -> Question[Content]:
    async def question(connection: RpcConnection) -> State[Content]:
        block_hash = None
        if kind is HeadKind.FINALIZED:
            block_hash = await connection.ask_for(str, "chain_getFinalizedHead")
        return await state_at(client, connection, block_hash, kind, keys_of, reading)

    return question


async def _newest(client: SubstrateClient, state: State[Content], question: Question[Content]) -> State[Content]:
    for _ in range(ATTEMPTS):
        if not client.saw_head(state.head):
            break
        try:
            found = await client.ask(question)
        except (ChainUnavailable, WrongChain):
            break  # the old answer is returned; its reader checks its age
        state = max(state, found, key=lambda each: each.head.time_s)
    return state


async def _both(
    client: SubstrateClient, connection: RpcConnection, final_hash: str, keys_of: KeysOf, reading: Reading[Content]
) -> tuple[State[Content], State[Content]] | None:
    """Values at both heads, in one batch; None when the runtime in memory did not execute both blocks."""
    runtime = await client.any_runtime(connection, final_hash)
    keys = await client.compute(partial(_keys, runtime, keys_of))
    if len(keys) > KEYS_PER_REQUEST:
        return None
    final, best = await connection.batch(
        [("state_queryStorageAt", [keys, final_hash]), ("state_queryStorageAt", [keys])]
    )
    raws = [
        (HeadKind.FINALIZED, _changes(connection, final, final_hash)),
        (HeadKind.BEST, _changes(connection, best, None)),
    ]

    def decode() -> tuple[State[Content], State[Content]] | None:
        states = [_if_its_own(runtime, _values([changes]), kind, changes.block, reading)[1] for kind, changes in raws]
        finalized, best = states
        return None if finalized is None or best is None else (finalized, best)

    return await _decoded(client, connection, f"{final_hash} or the best one", decode)


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
        block = (runtime, values, kind, found, reading)
        spec, state = await _decoded(client, connection, found, partial(_if_its_own, *block))
        if spec is None:
            spec = (await _version_after(connection, found)).spec_version
            if spec == runtime.spec_version:
                state = await _decoded(client, connection, found, partial(_state, *block))
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


async def _decoded(client: SubstrateClient, connection: RpcConnection, block: str, job: Callable[[], Result]) -> Result:
    try:
        return await client.compute(job)
    except (ValueError, KeyError, TypeError) as error:
        raise EndpointFailed(connection.name, f"block {block} can't be read: {error}") from error


def _if_its_own(
    runtime: Runtime, values: Values, kind: HeadKind, block_hash: str, reading: Reading[Content]
) -> tuple[int | None, State[Content] | None]:
    """The spec version that executed the block (None: not in its state), and the state if it is this runtime's."""
    spec = runtime.spec_of_block(values)
    return spec, _state(runtime, values, kind, block_hash, reading) if spec == runtime.spec_version else None


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
    return found, _values(parts)


def _values(parts: Sequence[Changes]) -> Values:
    return {key: value for part in parts for key, value in part.changes if value is not None}


def _changes(connection: RpcConnection, answer: object, block_hash: str | None) -> Changes:
    groups = read(connection.name, list[Changes], answer)
    if len(groups) != 1 or block_hash not in (None, groups[0].block):
        answered = ", ".join(group.block for group in groups) or "no block"
        raise EndpointFailed(
            connection.name, f"was asked for {block_hash or 'the best block'}, and answered for {answered}"
        )
    return groups[0]
