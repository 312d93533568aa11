"""The port `FarmHistory` on Substrate nodes that keep the state of old blocks.

A node without an archive keeps the state, and with it the events, of the newest blocks only (256 by
default). Then the other endpoints are asked, and the one that has the state stays in use.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TypeVar

from app.adapters.substrate import records
from app.adapters.substrate.answers import Changes, Header, RuntimeVersion, read
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.node_events import Events, Values, events_of_blocks, time_of
from app.adapters.substrate.rpc import Request, RpcConnection
from app.adapters.substrate.rpc_errors import EndpointFailed, RpcRefused
from app.adapters.substrate.state import State, head_state, state_at, undecoded
from app.domain.blocks import BlockRef
from app.domain.errors import ChainUnavailable, HistoryForgotten
from app.domain.minting.events import BlockWithEvents, Initial, TimedBlock
from app.domain.model import FarmId, HeadKind, NodeId, NodePower, Power, Unreadable

Result = TypeVar("Result")

LOOKS_AT_ONCE = 15
"""How many times one batch of the search reads: each batch leaves a sixteenth of the chain."""
FORGOTTEN = ("UnknownBlock", "discarded", "pruned")
FORGOTTEN_CODES = (-32000, 4003)
"""How Substrate's nodes say that a block's state is gone: codes of the older and of the newer RPC server."""


class _Forgotten(EndpointFailed):
    """This endpoint does not have the block's state any more; another one may have it."""


class SubstrateFarmHistory:
    """`FarmHistory`. The caller closes the client."""

    def __init__(self, client: SubstrateClient) -> None:
        self._client = client

    async def chain_id(self) -> str:
        """The hash of the chain's first block."""
        return await self._client.ask(lambda connection: connection.ask_for(str, "chain_getBlockHash", 0))

    async def newest(self) -> TimedBlock:
        head = (await head_state(self._client, HeadKind.FINALIZED, lambda _: (), undecoded)).head
        return TimedBlock(BlockRef(head.number or 0, head.hash or ""), int(head.time_s))

    async def last_before(self, time_s: int, newest: TimedBlock) -> TimedBlock:
        """Search by the blocks' own times, which only grow."""
        if newest.time_s < time_s:
            return newest
        first, end = 0, newest.ref.number
        while end - first > 1:
            step = max(1, (end - first) // (LOOKS_AT_ONCE + 1))
            looks = await self._query(partial(self._timed, numbers=range(first + step, end, step)))
            first = max([first, *(look.ref.number for look in looks if look.time_s < time_s)])
            end = min([end, *(look.ref.number for look in looks if look.time_s >= time_s)])
        (found,) = await self._query(partial(self._timed, numbers=[first]))
        return found

    async def nodes(self, farm: FarmId, at: TimedBlock) -> tuple[NodeId, ...]:
        """Read the chain's list of the farm's nodes."""
        state = await self._state(at, lambda runtime: [records.farm_nodes_key(runtime, farm)])
        return await self._client.decode(lambda: records.farm_nodes(state.runtime, farm, state.values))

    async def powers(self, nodes: Collection[NodeId], at: TimedBlock) -> Sequence[Initial]:
        """Read all nodes at one block, and then the times of the Downs."""
        asked = tuple(nodes)
        state = await self._state(at, lambda runtime: [records.power_key(runtime, node) for node in asked])
        powers = await self._client.compute(lambda: records.powers(state.runtime, asked, state.values))
        known = {node: _readable(node, power) for node, power in powers.items()}
        downs = sorted({power.state.since_block or 0 for power in known.values() if power.state.power is Power.DOWN})
        times = {block.ref.number: block.time_s for block in await self._query(partial(self._timed, numbers=downs))}
        return [
            Initial(node, power.state.power, power.target, times.get(power.state.since_block or 0))
            if power.state.power is Power.DOWN
            else Initial(node, power.state.power, power.target)
            for node, power in known.items()
        ]

    async def blocks(self, nodes: Collection[NodeId], first: int, last: int) -> Sequence[BlockWithEvents]:
        """Read in two batches; decode each block by the runtime that executed it."""
        wanted = frozenset(nodes)

        async def question(connection: RpcConnection) -> Sequence[BlockWithEvents]:
            refs = await _refs(connection, range(first, last + 1))
            runtime = await self._client.any_runtime(connection)
            keys = await self._client.compute(
                lambda: [runtime.key("System", "Events"), runtime.key("Timestamp", "Now"), *runtime.upgrade_keys]
            )
            return await self._decode(connection, await _values(connection, refs, keys), wanted)

        return await self._query(question)

    async def _decode(
        self, connection: RpcConnection, raws: Sequence[tuple[BlockRef, Values]], nodes: frozenset[NodeId]
    ) -> Sequence[BlockWithEvents]:
        blocks: list[BlockWithEvents] = []
        while len(blocks) < len(raws):
            rest = raws[len(blocks) :]
            runtime = await self._client.any_runtime(connection, rest[0][0].hash)
            try:
                found: Events = await self._client.compute(partial(events_of_blocks, runtime, rest, nodes))
            except (ValueError, KeyError, TypeError) as error:
                raise EndpointFailed(connection.name, f"events that can't be read: {error}") from error
            blocks += found.blocks
            if len(found.blocks) < len(rest):
                ref = rest[len(found.blocks)][0]
                # The block that brings an upgrade has the new code in its state, and its parent the old.
                version = await connection.ask_for(RuntimeVersion, "state_getRuntimeVersion", ref.hash)
                source = ref.hash
                if version.spec_version != found.next_spec:
                    source = (await connection.ask_for(Header, "chain_getHeader", ref.hash)).parent_hash
                await self._client.runtime(connection, found.next_spec, source)
        return blocks

    async def _timed(self, connection: RpcConnection, *, numbers: Collection[int]) -> Sequence[TimedBlock]:
        if not numbers:
            return []
        refs = await _refs(connection, numbers)
        runtime = await self._client.any_runtime(connection)
        raws = await _values(connection, refs, await self._client.compute(lambda: [runtime.key("Timestamp", "Now")]))
        return await self._client.decode(
            lambda: [TimedBlock(ref, time_of(runtime, ref, values)) for ref, values in raws]
        )

    async def _state(self, at: TimedBlock, keys_of: Callable[..., Sequence[str]]) -> State[None]:
        async def question(connection: RpcConnection) -> State[None]:
            try:
                return await state_at(self._client, connection, at.ref.hash, HeadKind.FINALIZED, keys_of, undecoded)
            except RpcRefused as error:
                raise _failure(connection, at.ref, error) from error

        return await self._query(question)

    async def _query(self, question: Callable[[RpcConnection], Awaitable[Result]]) -> Result:
        forgetful: dict[str, str] = {}

        async def noting(connection: RpcConnection) -> Result:
            try:
                return await question(connection)
            except _Forgotten as error:
                forgetful[connection.name] = error.reason
                raise

        try:
            return await self._client.ask(noting)
        except ChainUnavailable as error:
            if not forgetful:
                raise
            who = "; ".join(f"{name} {reason}" for name, reason in forgetful.items())
            raise HistoryForgotten(
                f"{who}. Only a node that keeps all states (an archive node) has the whole period: "
                "name one with --chain or in chain.urls"
            ) from error


async def _refs(connection: RpcConnection, numbers: Collection[int]) -> list[BlockRef]:
    answers = await connection.batch([("chain_getBlockHash", [number]) for number in numbers])
    refs = []
    for number, answer in zip(numbers, answers, strict=True):
        if answer is None:
            raise EndpointFailed(connection.name, f"it does not have block {number} yet")
        refs.append(BlockRef(number, read(connection.name, str, answer)))
    return refs


async def _values(
    connection: RpcConnection, refs: Sequence[BlockRef], keys: Sequence[str]
) -> list[tuple[BlockRef, Values]]:
    requests: list[Request] = [("state_queryStorageAt", [list(keys), ref.hash]) for ref in refs]
    answers = await connection.batch(requests)
    return [(ref, _of_block(connection, ref, answer)) for ref, answer in zip(refs, answers, strict=True)]


def _of_block(connection: RpcConnection, ref: BlockRef, answer: object) -> Mapping[str, str]:
    if isinstance(answer, RpcRefused):
        raise _failure(connection, ref, answer)
    groups = read(connection.name, list[Changes], answer)
    if [group.block for group in groups] != [ref.hash]:
        raise EndpointFailed(connection.name, f"it was asked for block {ref.hash}, and answered for another")
    return {key: value for key, value in groups[0].changes if value is not None}


def _failure(connection: RpcConnection, ref: BlockRef, refused: RpcRefused) -> EndpointFailed:
    if refused.code in FORGOTTEN_CODES or any(word in str(refused) for word in FORGOTTEN):
        return _Forgotten(connection.name, f"does not have the state of block {ref.number} any more")
    return EndpointFailed(connection.name, str(refused))


def _readable(node: NodeId, power: NodePower | Unreadable) -> NodePower:
    if isinstance(power, Unreadable):
        raise ChainUnavailable(f"the power of node {node} can't be read: {power.reason}")
    return power
