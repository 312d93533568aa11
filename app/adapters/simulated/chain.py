"""The chain ports on a ledger in memory, with a switch for every kind of failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence

from app.adapters.simulated.ledger import InvalidTransaction, Ledger
from app.adapters.simulated.ledger_blocks import Block as LedgerBlock
from app.adapters.simulated.ledger_blocks import Extrinsic
from app.adapters.simulated.node_powers import NodePowers
from app.adapters.simulated.node_records import NodeRecords
from app.adapters.simulated.pallet import Values
from app.adapters.simulated.past import power_in
from app.domain.errors import ChainUnavailable, ExtrinsicFailed, ExtrinsicRefused, ExtrinsicUncertain, PowerdError
from app.domain.events import PowerTargetChanged
from app.domain.model import (
    FarmId,
    Head,
    HeadKind,
    Inclusion,
    Node,
    NodeId,
    PastPower,
    Power,
    PowerReading,
    Powers,
    Unreadable,
    UptimeSample,
)
from app.ports.chain import UptimeSampler
from app.ports.chain_blocks import Block, BlockRef
from app.ports.clock import Clock


class SimulatedChain:
    """`Chain`, `ChainBlocks` and `PowerTargets` for one account.

    Switches: ``unavailable``, ``latency_s`` (half of it on the way there, half on the way back),
    ``hang_everything``, ``hang_uptime``, ``has_finality``, ``has_heads``, ``lacks_power``, ``broken`` (nodes whose
    answer is neither Up nor Down), ``broken_records`` (nodes whose record can't be read), ``records_unavailable``,
    ``fail_uptime``, ``lose_sight_of_next`` (the next extrinsic is taken, and its sender never hears of it), ``fails``
    (asked before every answer whether this one fails). ``on_sight_lost`` is called when a sender loses sight.
    ``on_powers`` is called at every answer about powers, when the chain is read. Chains on one ledger may
    share their ``records`` and ``powers``.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        account: bytes,
        *,
        timeout_s: float = 20.0,
        inclusion_timeout_s: float = 60.0,
        era_blocks: int = 16,
        records: NodeRecords | None = None,
        powers: NodePowers | None = None,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._account = account
        self._records = records or NodeRecords(ledger)
        self._powers = powers or NodePowers(ledger)
        self._timeout_s = timeout_s
        self._inclusion_timeout_s = inclusion_timeout_s
        self._era_blocks = era_blocks
        self.has_finality = True
        self.has_heads = True
        self.lacks_power = ""
        self.unavailable = False
        self.hang_everything = False
        self.hang_uptime = False
        self.lose_sight_of_next = False
        self.on_sight_lost: Callable[[], None] | None = None
        self.fail_uptime: ExtrinsicFailed | None = None
        self.broken: set[NodeId] = set()
        self.broken_records: set[NodeId] = set()
        self.records_unavailable = False
        self.samples: list[UptimeSample] = []
        self.reads = 0
        self.latency_s = 0.0
        self.fails: Callable[[], bool] | None = None
        self.on_powers: Callable[[Collection[NodeId]], None] = _ignore
        self._hanging: set[NodeId] = set()
        self._uptime_refusals = 0

    # -- switches with arguments -------------------------------------------------------------------
    def hang_batches_of(self, *nodes: NodeId) -> None:
        """Let batch reads with one of these nodes fail."""
        self._hanging.update(nodes)

    def refuse_uptime(self, times: int) -> None:
        """Let the pool refuse the next uptime reports, this many."""
        self._uptime_refusals = times

    # -- reading -----------------------------------------------------------------------------------
    async def head(self, kind: HeadKind) -> Head | None:
        await self._there()
        head = self._head(kind) if self.has_heads else None
        await self._back()
        return head

    async def powers(self, nodes: Collection[NodeId], kind: HeadKind) -> PowerReading:
        await self._there(nodes)
        reading = self._reading(nodes, kind)
        if self.latency_s:
            await self._back()
        return reading

    def _reading(self, nodes: Collection[NodeId], kind: HeadKind) -> PowerReading:
        final = kind is HeadKind.FINALIZED and self.has_finality
        powers: Powers
        powers = self._powers.finalized(nodes) if final else self._powers.best(nodes)
        self.on_powers(nodes)
        if self.broken:
            garbled = {node: Unreadable("neither Up nor Down") for node in self.broken if node in powers}
            powers = {**powers, **garbled}
        return PowerReading(self._head(kind) if self.has_heads else None, powers)

    async def powers_at_heads(self, nodes: Collection[NodeId]) -> tuple[PowerReading | None, PowerReading]:
        """Two reads, one after the other."""
        finalized = await self.powers(nodes, HeadKind.FINALIZED) if self.has_finality else None
        return finalized, await self.powers(nodes, HeadKind.BEST)

    async def power_in(self, node: NodeId, block: Inclusion) -> PastPower | None:
        await self._there([node])
        reading = power_in(self._ledger, node, block) if self.has_heads else None
        await self._back()
        return reading

    async def nodes(self, nodes: Collection[NodeId]) -> Mapping[NodeId, Node | Unreadable]:
        await self._there(nodes)
        if self.records_unavailable:
            raise ChainUnavailable("the simulated chain does not have records")
        records: Mapping[NodeId, Node | Unreadable] = self._records.of(nodes)
        if self.broken_records:
            records = {**records, **{node: Unreadable("cut off") for node in records if node in self.broken_records}}
        await self._back()
        return records

    async def farm_nodes(self, farm: FarmId) -> tuple[NodeId, ...]:
        await self._there()
        nodes: tuple[NodeId, ...] = tuple(sorted(self._ledger.read("NodesByFarmID", farm, default=())))
        await self._back()
        return nodes

    # -- writing -----------------------------------------------------------------------------------
    async def set_power_state(self, power: Power) -> Inclusion:
        """Submit, and wait for the block."""
        return await self._submit("change_power_state", {"power_state": power.value})

    async def announce_power_state(self, power: Power) -> None:
        await self._there()
        self._hand_in("change_power_state", {"power_state": power.value})
        await self._back()

    async def report_uptime(self, sample: UptimeSampler) -> Inclusion:
        """Submit, and wait for the block."""
        if self.hang_uptime:
            await self._hang()
        taken = sample()
        self.samples.append(taken)
        if self._uptime_refusals:
            self._uptime_refusals -= 1
            raise ExtrinsicRefused("report_uptime_v2", "refused on request")
        if self.fail_uptime is not None:
            raise self.fail_uptime
        return await self._submit("report_uptime_v2", {"uptime": taken.uptime_s, "timestamp_hint": taken.taken_at_s})

    async def set_power_target(self, node: NodeId, target: Power) -> Inclusion:
        return await self._submit("change_power_target", {"node_id": node, "power_target": target.value})

    async def set_power_targets(
        self, nodes: Sequence[NodeId], target: Power
    ) -> AsyncIterator[tuple[NodeId, Inclusion | PowerdError]]:
        """Submit all before the wait for the first one."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._outcome(node, target), name=f"target of {node}") for node in nodes]
            for node, task in zip(nodes, tasks, strict=True):
                yield node, await task

    async def _outcome(self, node: NodeId, target: Power) -> Inclusion | PowerdError:
        try:
            return await self.set_power_target(node, target)
        except PowerdError as error:
            return error

    # -- blocks ------------------------------------------------------------------------------------
    async def next_head(self, after: BlockRef | None) -> BlockRef:
        """The best head, once it is another."""
        await self._there()
        while True:
            best = self._ledger.best
            ref = BlockRef(best.number, best.hash)
            if ref != after:
                return ref
            await self._block()

    async def blocks(self, first: int, last: int) -> Sequence[Block]:
        await self._there()
        found = (self._ledger.block(number) for number in range(first, last + 1))
        blocks = [_block(block) for block in found if block is not None]
        await self._back()
        return blocks

    async def close(self) -> None:
        """Do nothing."""

    # -- inside ------------------------------------------------------------------------------------
    async def _there(self, nodes: Collection[NodeId] = ()) -> None:
        self.reads += 1
        if self.latency_s:
            await self._clock.sleep(self.latency_s / 2)
        if self.hang_everything or (self._hanging and not self._hanging.isdisjoint(nodes)):
            await self._hang()
        if self.unavailable or (self.fails is not None and self.fails()):
            raise ChainUnavailable("the simulated chain is away")

    async def _back(self) -> None:
        """Wait before the answer, which ages meanwhile."""
        if self.latency_s:
            await self._clock.sleep(self.latency_s / 2)

    async def _hang(self) -> None:
        await self._clock.sleep(self._timeout_s)
        raise ChainUnavailable(f"the simulated chain gave no answer within {self._timeout_s:.0f} s")

    def _head(self, kind: HeadKind) -> Head:
        return self._powers.head(kind, final=kind is HeadKind.FINALIZED and self.has_finality)

    def _hand_in(self, call: str, arguments: Values) -> Extrinsic:
        ledger = self._ledger
        nonce = ledger.next_nonce(self._account)
        dies_after = ledger.best_number + self._era_blocks
        extrinsic = Extrinsic(self._account, nonce, call, arguments, dies_after=dies_after)
        try:
            ledger.submit(extrinsic, self._clock.now())
        except InvalidTransaction as error:
            raise ExtrinsicRefused(call, str(error), self._account.hex()) from error
        return extrinsic

    async def _submit(self, call: str, arguments: Values) -> Inclusion:
        await self._there()
        seen = self._ledger.best_number
        extrinsic = self._hand_in(call, arguments)
        if self.lose_sight_of_next:
            self.lose_sight_of_next = False
            if self.on_sight_lost is not None:
                self.on_sight_lost()
            raise ExtrinsicUncertain(f"{call} was handed in, and the connection broke")
        try:
            async with self._clock.timeout(self._inclusion_timeout_s):
                while True:
                    for number in range(seen + 1, self._ledger.best_number + 1):
                        block = self._ledger.block(number)
                        if block is not None and extrinsic in block.outcomes:
                            await self._back()
                            return _inclusion(call, extrinsic, block)
                    await self._block()
        except TimeoutError:
            raise ExtrinsicUncertain(f"{call} was not included within {self._inclusion_timeout_s:.0f} s") from None

    async def _block(self) -> None:
        made = asyncio.Event()
        self._ledger.call_at_next_block(made.set)
        await made.wait()


def _ignore(_: Collection[NodeId]) -> None:
    """For a chain without a listener."""


def _inclusion(call: str, extrinsic: Extrinsic, block: LedgerBlock) -> Inclusion:
    if error := block.outcomes[extrinsic]:
        raise ExtrinsicFailed(call, error, block.hash)
    return Inclusion(block.hash, block.number)


def _block(block: LedgerBlock) -> Block:
    changes = tuple(
        PowerTargetChanged(
            FarmId(event.attributes["farm_id"]),
            NodeId(event.attributes["node_id"]),
            Power(event.attributes["power_target"]),
        )
        for event in block.events
        if event.name == "PowerTargetChanged"
    )
    return Block(BlockRef(block.number, block.hash), block.parent, changes)
