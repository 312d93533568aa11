"""A farm for its farmer: records, power, contracts, signs of life, and times of blocks.

The chain stores no time of a node's last report. But every extrinsic of an account raises its nonce, and
a node reports every 40 minutes. So the nonces at some earlier blocks show between which two of them its
last sign of life was. A node without an archive keeps the state of the newest blocks only (256 by default,
25 minutes), and the answer reaches back only so far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from app.adapters.substrate import records
from app.adapters.substrate.answers import Changes, read
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.rpc import Request, RpcConnection
from app.adapters.substrate.rpc_errors import RpcRefused
from app.adapters.substrate.state import State, head_state, undecoded
from app.domain.errors import WrongChain
from app.domain.model import FarmId, Head, HeadKind, Node, NodeId, NodePower, Unreadable
from app.domain.rules.farm_risk import UNKNOWN, Member, SignAge
from app.domain.values import value

if TYPE_CHECKING:
    from app.adapters.substrate.runtime import Runtime

CONTRACTS = "SmartContractModule"
LOOKS_BACK = (10, 50, 100, 200, 300, 460, 900, 2400)
"""Blocks before the head, at 6 s each: 1, 5, 10, 20, 30, 46 and 90 minutes, and 4 hours."""
USUAL_BLOCK_S = 6.0
FIRST_BLOCK = 1


@value
class FarmView:
    """A farm at one head. ``since_s`` has the time at which each sleeper said Down (Unix seconds).

    For nodes in ``estimated``, the endpoint does not have that block's time any more, so it was computed
    from the pace of the blocks.
    """

    farm: FarmId
    head: Head
    members: Sequence[Member]
    since_s: Mapping[NodeId, float]
    estimated: frozenset[NodeId]


@value
class _Past:
    """An earlier block: its own time, and the nonces after it."""

    number: int
    time_s: float
    nonces: Mapping[NodeId, int]


class SubstrateFarmView:
    """Reads only. The caller closes the client."""

    def __init__(self, client: SubstrateClient) -> None:
        self._client = client

    async def look(self, farm: FarmId) -> FarmView:
        """The whole farm, in some ten requests at any size. Without members where there is no such farm."""
        listed = await head_state(self._client, HeadKind.BEST, lambda r: [records.farm_nodes_key(r, farm)], undecoded)
        ids = await self._client.decode(lambda: records.farm_nodes(listed.runtime, farm, listed.values))
        state = await head_state(
            self._client, HeadKind.BEST, lambda r: _keys(r, ids), lambda r, values: _members(r, values, ids)
        )
        members = state.content
        past = await self._past(state, members)
        current = past.pop(state.head.number or 0, None)
        looks = [past[number] for number in _looks(state.head) if number in past]
        signed = [_with_sign(member, current, looks, state.head) for member in members]
        since, estimated = _since(members, past, state.head)
        return FarmView(farm, state.head, signed, since, estimated)

    async def _past(self, state: State[list[Member]], members: Sequence[Member]) -> dict[int, _Past]:
        """The head, some blocks before it, and those in which sleepers said Down; without those that are pruned."""
        accounts = await self._accounts(members)
        looks = {state.head.number or 0, *_looks(state.head)}
        sinces = {since for member in members if (since := _since_block(member)) is not None}
        numbers = sorted(looks | sinces, reverse=True)
        runtime = state.runtime

        def keys() -> tuple[str, Mapping[NodeId, str]]:
            by_node = {node: records.account_key(runtime, account) for node, account in accounts.items()}
            return runtime.key("Timestamp", "Now"), by_node

        now, by_node = await self._client.compute(keys)
        both = [now, *by_node.values()]

        async def question(connection: RpcConnection) -> dict[int, Mapping[str, str]]:
            hashes = await _hashes(connection, numbers)
            wanted: list[tuple[int, Request]] = [
                (number, ("state_queryStorageAt", [both if number in looks else [now], block_hash]))
                for number, block_hash in hashes.items()
            ]
            answers = await connection.batch([request for _, request in wanted])
            return {
                number: _values(connection, answer)
                for (number, _), answer in zip(wanted, answers, strict=True)
                if not isinstance(answer, RpcRefused)
            }

        found = await self._client.ask(question)
        return await self._client.compute(lambda: _pasts(runtime, by_node, now, found))

    async def _accounts(self, members: Sequence[Member]) -> Mapping[NodeId, bytes]:
        twins = {member.id: member.record.twin for member in members if isinstance(member.record, Node)}
        state = await head_state(
            self._client,
            HeadKind.BEST,
            lambda runtime: [records.twin_key(runtime, twin) for twin in twins.values()],
            lambda runtime, values: records.accounts(runtime, twins, values),
        )
        return state.content


def _keys(runtime: Runtime, ids: Sequence[NodeId]) -> list[str]:
    keys = [key for node in ids for key in (records.node_key(runtime, node), records.power_key(runtime, node))]
    with suppress(WrongChain):  # the chain does not have that pallet
        keys += [runtime.key(CONTRACTS, item, node) for node in ids for item in CONTRACT_ITEMS]
    return keys


CONTRACT_ITEMS = ("ActiveNodeContracts", "ActiveRentContractForNode")
"""Workloads on the node, and the contract that rents the whole node (pallet_smart_contract)."""


def _contracts(runtime: Runtime, node: NodeId, values: Mapping[str, str]) -> int | None:
    try:
        active, rent = (
            runtime.value(CONTRACTS, i, values.get(runtime.key(CONTRACTS, i, node))) for i in CONTRACT_ITEMS
        )
        return len(active) + (rent is not None)
    except (WrongChain, ValueError, TypeError):
        return None


def _members(runtime: Runtime, values: Mapping[str, str], ids: Sequence[NodeId]) -> list[Member]:
    nodes, powers = records.nodes(runtime, ids, values), records.powers(runtime, ids, values)
    absent = Unreadable("it is on the farm's list of nodes, and the chain has no record of it")
    return [
        Member(node, nodes.get(node, absent), powers[node], UNKNOWN, _contracts(runtime, node, values)) for node in ids
    ]


def _looks(head: Head) -> list[int]:
    """Numbers of earlier blocks, the newest first; on a young chain down to block 1 (block 0 has no time)."""
    height = head.number or 0
    numbers = [number for back in LOOKS_BACK if (number := height - back) > FIRST_BLOCK]
    return [*numbers, FIRST_BLOCK] if FIRST_BLOCK < height <= LOOKS_BACK[-1] + FIRST_BLOCK else numbers


def _since_block(member: Member) -> int | None:
    return member.power.state.since_block if isinstance(member.power, NodePower) else None


async def _hashes(connection: RpcConnection, numbers: Sequence[int]) -> dict[int, str]:
    answers = await connection.batch([("chain_getBlockHash", [number]) for number in numbers])
    return {number: answer for number, answer in zip(numbers, answers, strict=True) if isinstance(answer, str)}


def _values(connection: RpcConnection, answer: Any) -> Mapping[str, str]:
    groups = read(connection.name, list[Changes], answer)
    return {key: value for group in groups for key, value in group.changes if value is not None}


def _pasts(
    runtime: Runtime, accounts: Mapping[NodeId, str], now: str, found: Mapping[int, Mapping[str, str]]
) -> dict[int, _Past]:
    """Decode by the runtime of the head, since time and nonce have had the same place in every runtime."""

    @cache  # to decode an account takes a millisecond, and most are the same in every block
    def nonce(data: str | None) -> int | None:
        try:
            return int(runtime.value("System", "Account", data)["nonce"])
        except (ValueError, KeyError, TypeError):
            return None

    pasts = {}
    for number, values in found.items():
        try:
            time_s = int(runtime.value("Timestamp", "Now", values.get(now))) / 1000
        except (ValueError, TypeError):
            continue
        nonces = {node: known for node, key in accounts.items() if (known := nonce(values.get(key))) is not None}
        pasts[number] = _Past(number, time_s, nonces)
    return pasts


def _with_sign(member: Member, current: _Past | None, looks: Sequence[_Past], head: Head) -> Member:
    """The member with its sign of life. ``looks`` begin with the newest; one with another nonce precedes it."""
    nonce = None if current is None else current.nonces.get(member.id)
    if nonce is None:
        return member
    at_least_s = 0.0
    for past in looks:
        age_s = head.time_s - past.time_s
        if past.nonces.get(member.id) != nonce:
            return _signed(member, SignAge(at_least_s, age_s))
        at_least_s = age_s
    whole = (head.number or 0) <= FIRST_BLOCK or FIRST_BLOCK in {past.number for past in looks}
    return _signed(member, SignAge(at_least_s, None, whole))


def _signed(member: Member, sign: SignAge) -> Member:
    return Member(member.id, member.record, member.power, sign, member.contracts)


def _since(
    members: Sequence[Member], past: Mapping[int, _Past], head: Head
) -> tuple[dict[NodeId, float], frozenset[NodeId]]:
    since, estimated = {}, set()
    oldest = min(past.values(), key=lambda known: known.number, default=None)
    for member in members:
        block = _since_block(member)
        if block is None or head.number is None:
            continue
        if block in past:
            since[member.id] = past[block].time_s
        else:
            pace_s = USUAL_BLOCK_S
            if oldest is not None and oldest.number < head.number:
                pace_s = (head.time_s - oldest.time_s) / (head.number - oldest.number)
            since[member.id] = head.time_s - (head.number - block) * pace_s
            estimated.add(member.id)
    return since, frozenset(estimated)
