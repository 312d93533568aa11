"""A farm's past on a ledger in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.ledger_blocks import Block, Event
from app.adapters.simulated.node_powers import node_power_of
from app.adapters.simulated.pallet import ALWAYS_UP
from app.domain.blocks import BlockRef
from app.domain.errors import ChainUnavailable, HistoryForgotten
from app.domain.minting.events import (
    BlockWithEvents,
    Initial,
    NodeUptimeReported,
    PowerStateChanged,
    PowerTargetChanged,
    TimedBlock,
    TimedEvent,
)
from app.domain.model import FarmId, NodeId, Power


class SimulatedFarmHistory:
    """`FarmHistory`. Switches: ``fail_times`` (number of questions), ``forgotten_up_to`` (a block's number)."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.fail_times = 0
        self.forgotten_up_to = -1
        self.read: list[int] = []
        """Numbers of the blocks whose events were asked for."""

    async def chain_id(self) -> str:
        """The first block's hash."""
        return self._block(0).hash

    async def newest(self) -> TimedBlock:
        self._answer()
        return _timed(self.ledger.finalized)

    async def last_before(self, time_s: int, newest: TimedBlock) -> TimedBlock:
        self._answer()
        for number in range(newest.ref.number, 0, -1):
            block = _timed(self._block(number))
            if block.time_s < time_s:
                return block
        return _timed(self._block(0))

    async def nodes(self, farm: FarmId, at: TimedBlock) -> tuple[NodeId, ...]:
        self._answer()
        self._block(at.ref.number)
        listed = self.ledger.read("NodesByFarmID", farm, at.ref.number, ())
        return tuple(sorted(NodeId(node) for node in listed))

    async def powers(self, nodes: Collection[NodeId], at: TimedBlock) -> Sequence[Initial]:
        self._answer()
        return [self._initial(node, at.ref.number) for node in nodes]

    async def blocks(self, nodes: Collection[NodeId], first: int, last: int) -> Sequence[BlockWithEvents]:
        self._answer()
        self.read += range(first, last + 1)
        blocks = [self._block(number) for number in range(first, last + 1)]
        return [BlockWithEvents(_timed(block), tuple(_events(block, nodes))) for block in blocks]

    def _answer(self) -> None:
        if self.fail_times > 0:
            self.fail_times -= 1
            raise ChainUnavailable("the simulated chain does not answer")

    def _block(self, number: int) -> Block:
        block = self.ledger.block(number)
        if block is None or 0 < number <= self.forgotten_up_to:
            raise HistoryForgotten(f"the simulated chain has forgotten the state of block {number}")
        return block

    def _initial(self, node: NodeId, number: int) -> Initial:
        power = node_power_of(self.ledger.read("NodePower", node, number, ALWAYS_UP))
        since_s = None
        if power.state.power is Power.DOWN:
            since_s = _timed(self._block(power.state.since_block or 0)).time_s
        return Initial(node, power.state.power, power.target, since_s)


def _timed(block: Block) -> TimedBlock:
    return TimedBlock(BlockRef(block.number, block.hash), block.time_ms // 1000)


def _events(block: Block, nodes: Collection[NodeId]) -> Sequence[TimedEvent]:
    events = (_event(event, block.time_ms // 1000) for event in block.events)
    return [event for event in events if event is not None and event.node in nodes]


def _event(event: Event, time_s: int) -> TimedEvent | None:
    fields = event.attributes
    match event.name:
        case "NodeUptimeReported":
            return NodeUptimeReported(fields[1], NodeId(fields[0]), fields[2])
        case "PowerTargetChanged":
            return PowerTargetChanged(time_s, NodeId(fields["node_id"]), Power(fields["power_target"]))
        case "PowerStateChanged":
            up = fields["power_state"] == "Up"
            return PowerStateChanged(time_s, NodeId(fields["node_id"]), Power.UP if up else Power.DOWN)
    return None
