"""Reads an earlier block. A chain node without an archive keeps the state of some 256 blocks."""

from __future__ import annotations

from collections.abc import Iterator

from app.adapters.substrate import records
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.records import PALLET
from app.adapters.substrate.rpc import RpcConnection
from app.adapters.substrate.rpc_errors import RpcRefused
from app.adapters.substrate.state import State, state_at, undecoded
from app.domain.model import HeadKind, Inclusion, NodeId, NodePower, PastPower, Power, Unreadable
from app.domain.power_changes import Changed, needs_parent, targets_at

TARGET, STATE = "PowerTargetChanged", "PowerStateChanged"


async def power_in(client: SubstrateClient, node: NodeId, block: Inclusion) -> PastPower | None:
    """Power of the node after ``block``. None only if no endpoint has that state."""

    async def question(connection: RpcConnection) -> State[None] | None:
        try:
            block_hash = block.block_hash or await connection.call("chain_getBlockHash", block.block_number)
            if not isinstance(block_hash, str):
                return None
            return await state_at(
                client,
                connection,
                block_hash,
                HeadKind.BEST,
                lambda runtime: [records.power_key(runtime, node), runtime.key("System", "Events")],
                undecoded,
            )
        except RpcRefused:
            return None

    state = await client.ask(question) or await client.ask_elsewhere(question)
    if state is None:
        return None
    power, changes = await client.decode(lambda: (_power(state, node), [*_changes(state, node)]))
    if not isinstance(power, NodePower):
        return PastPower(state.head, power)
    before = power.target
    if needs_parent(changes) and state.head.number:
        parent = await power_in(client, node, Inclusion("", state.head.number - 1))
        if parent is not None and isinstance(parent.power, NodePower):
            before = parent.power.target
    return PastPower(state.head, power, *targets_at(changes, before))


def _power(state: State[None], node: NodeId) -> NodePower | Unreadable:
    return records.powers(state.runtime, (node,), state.values)[node]


def _changes(state: State[None], node: NodeId) -> Iterator[tuple[Changed, Power]]:
    """The changes of the node's power in the block's events, in their order."""
    for event in state.runtime.events(state.values.get(state.runtime.key("System", "Events"))):
        if event.pallet == PALLET and event.name in (TARGET, STATE) and event.attributes["node_id"] == node:
            if event.name == TARGET:
                yield Changed.TARGET, Power(event.attributes["power_target"])
            else:
                yield Changed.STATE, Power.UP if event.attributes["power_state"] == "Up" else Power.DOWN
