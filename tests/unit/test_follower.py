"""The follower publishes every event of its farm it can read, whatever the chain does meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.adapters.simulated.chain import SimulatedChain
from app.adapters.simulated.fault_display import SimulatedFaultDisplay
from app.adapters.simulated.memory import SimulatedMemory
from app.adapters.simulated.power_events import SimulatedPowerEvents, SimulatedStream
from app.domain.blocks import Block, BlockRef
from app.domain.errors import WrongChain
from app.domain.events import BlocksSkipped, ChainReorganised, EventsPublished, OperationFailed, PowerTargetChanged
from app.domain.model import FarmId, NodeId, NodeIdentity, Power, TwinId
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.progress import Progress
from app.domain.services.events.checkpoint import SAVING
from app.domain.services.events.follower import Follower
from app.ports.chain_blocks import ChainBlocks
from tests.rigs.simulated.telemetry import SimulatedTelemetry
from tests.rigs.virtual_farm import FARMER, VirtualFarm

pytestmark = pytest.mark.anyio


class Cursor(SimulatedMemory[BlockRef]):
    """Keeps every place it was given, while its disk has room."""

    def __init__(self) -> None:
        super().__init__()
        self.history: list[BlockRef] = []
        self.refused = 0

    async def save(self, record: BlockRef, *, durably: bool = True) -> None:
        self.refused += self.unwritable
        await super().save(record, durably=durably)
        self.history.append(record)


class Rig:
    def __init__(self, farm: VirtualFarm, chain: ChainBlocks | None = None) -> None:
        self.farm = farm
        self.stream = SimulatedStream(farm.clock)
        self.out = SimulatedPowerEvents(self.stream, farm.clock)
        self.chain = SimulatedChain(farm.ledger, farm.clock, FARMER)
        self.cursor = Cursor()
        self.telemetry = SimulatedTelemetry()
        self.board = FaultBoard(SimulatedFaultDisplay(), farm.clock, self.telemetry, lambda: 0.5)
        self._blocks = chain or self.chain

    def follower(self, batch: int = 4, farm: int | None = None) -> Follower:
        node = NodeIdentity(NodeId(1), FarmId(farm or self.farm.id), TwinId(2))
        context = NodeContext(self.farm.clock, self.telemetry, self.board, lambda: 0.5, Progress(self.farm.clock), node)
        return Follower(context, self._blocks, self.out, self.cursor, batch=batch)

    @asynccontextmanager
    async def following(self, **options: int) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.follower(**options).run())
            await asyncio.sleep(0)
            yield
            task.cancel()

    async def change(self, node: int, target: Power = Power.DOWN) -> None:
        """A target, in a block of its own."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.farm.farmer.set_power_target(NodeId(node), target))
            await asyncio.sleep(0)
            self.block()

    def block(self) -> None:
        self.farm.ledger.produce(self.farm.clock.now())

    def published(self) -> list[int]:
        contents = [delivery.content for delivery in self.stream.take_new(1000)]
        return [content.node for content in contents if isinstance(content, PowerTargetChanged)]


async def test_publishes_the_events_of_new_blocks_in_order(farm: VirtualFarm) -> None:
    rig = Rig(farm)
    async with rig.following():
        for node in (1, 2, 3):
            await rig.change(node)
        await farm.clock.sleep(1)
    assert rig.published() == [1, 2, 3]


async def test_starts_at_the_newest_block_without_a_cursor(farm: VirtualFarm) -> None:
    rig = Rig(farm)
    await rig.change(1)
    async with rig.following():
        await rig.change(2)
        await farm.clock.sleep(1)
    assert rig.published() == [2]


async def test_catches_up_from_the_cursor_in_batches(farm: VirtualFarm) -> None:
    rig = Rig(farm)
    await rig.cursor.save(BlockRef(0, farm.ledger.best.hash))
    for _ in range(10):
        await rig.change(1)
    async with rig.following():
        await farm.clock.sleep(1)
    assert len(rig.published()) == 10
    assert [ref.number for ref in rig.cursor.history] == [0, 4, 8, 10]


async def test_r15_a_stream_that_is_away_at_the_start_is_a_fault_before_any_change(farm: VirtualFarm) -> None:
    rig = Rig(farm)
    rig.out.unavailable = True
    async with rig.following():
        await farm.clock.sleep(1)
        (said,) = rig.telemetry.of(OperationFailed)
        assert "the simulated bus is away" in said.error
        await farm.clock.sleep(90)
        assert [fault.key for fault in rig.board.faults] == ["events-out"]
        await rig.change(1)
        rig.out.unavailable = False
        await farm.clock.sleep(60)
        assert rig.board.faults == ()
    assert rig.published() == [1], "the place was taken before, so that nothing is skipped"


async def test_publishes_nothing_of_other_farms(farm: VirtualFarm) -> None:
    rig = Rig(farm)
    async with rig.following(farm=99):
        await rig.change(1)
        await farm.clock.sleep(1)
    assert rig.published() == []
    assert rig.cursor.history[-1].number == 1


async def test_the_cursor_moves_only_after_the_events_are_on_the_stream(farm: VirtualFarm) -> None:
    rig = Rig(farm)
    async with rig.following():
        await asyncio.sleep(0)
        rig.out.full = True
        await rig.change(1)
        await farm.clock.sleep(5)
        assert rig.cursor.history[-1].number == 0
        assert rig.telemetry.of(OperationFailed)
        rig.out.full = False
        await farm.clock.sleep(60)
    assert rig.published() == [1]
    assert rig.cursor.history[-1].number == 1


async def test_r15_what_cannot_be_published_is_logged_once_and_is_a_fault_until_it_is(farm: VirtualFarm) -> None:
    rig = Rig(farm)
    async with rig.following():
        await asyncio.sleep(0)
        rig.out.full = True
        await rig.change(1)
        for _ in range(200):
            rig.block()
            await farm.clock.sleep(6)
        (told,) = rig.telemetry.of(OperationFailed)
        assert told.doing == "publishing events"
        assert [fault.key for fault in rig.board.faults] == ["events-out"]
        rig.out.full = False
        await farm.clock.sleep(60)
        assert not rig.board.faults
    assert rig.published() == [1]


async def test_r15_a_chain_that_stays_away_is_a_fault_until_it_is_back(farm: VirtualFarm) -> None:
    rig = Rig(farm)
    async with rig.following():
        rig.chain.unavailable = True
        await rig.change(1)
        await farm.clock.sleep(200)
        assert [fault.key for fault in rig.board.faults] == ["chain-blocks"]
        rig.chain.unavailable = False
        await farm.clock.sleep(60)
        assert not rig.board.faults
    assert rig.published() == [1]


async def test_r15_an_endpoint_that_serves_another_chain_for_a_while_is_a_fault_and_is_waited_for(
    farm: VirtualFarm,
) -> None:
    rig = Rig(farm)

    def fails() -> bool:
        raise WrongChain("the endpoint serves another chain")

    async with rig.following():
        healthy, rig.chain.fails = rig.chain.fails, fails
        await rig.change(1)
        await farm.clock.sleep(200)
        assert ["another chain" in fault.message for fault in rig.board.faults] == [True]
        rig.chain.fails = healthy
        await farm.clock.sleep(60)
        assert not rig.board.faults
    assert rig.published() == [1]


async def test_a_chain_that_is_away_is_waited_for(farm: VirtualFarm) -> None:
    rig = Rig(farm)
    async with rig.following():
        rig.chain.unavailable = True
        await rig.change(1)
        await farm.clock.sleep(100)
        rig.chain.unavailable = False
        await farm.clock.sleep(60)
    assert rig.published() == [1]


async def test_a_reorganisation_publishes_the_events_of_the_new_branch(farm: VirtualFarm) -> None:
    rig = Rig(farm)
    async with rig.following():
        for node in (1, 2, 3):
            await rig.change(node)
        await farm.clock.sleep(1)
        rig.published()
        farm.ledger.reorganise(2, lose=True)
        await rig.change(2)
        await rig.change(1)
        await rig.change(3)
        await farm.clock.sleep(10)
    assert set(rig.published()) == {1, 2, 3}
    assert rig.telemetry.of(ChainReorganised)
    assert rig.cursor.history[-1].number == farm.ledger.best_number


async def test_a_chain_that_became_shorter_and_grew_again_is_followed(farm: VirtualFarm) -> None:
    rig = Rig(farm)
    farm.ledger.hold_finality = True
    async with rig.following():
        for _ in range(6):
            await rig.change(1)
        await farm.clock.sleep(1)
        rig.published()
        farm.ledger.reorganise(5, lose=True)
        await rig.change(2)
        await farm.clock.sleep(60)
        await rig.change(3)
        await farm.clock.sleep(60)
    assert {2, 3} <= set(rig.published())


async def test_a_restart_in_the_middle_of_a_reorganisation_goes_back_far_enough(farm: VirtualFarm) -> None:
    rig = Rig(farm)
    farm.ledger.hold_finality = True
    for _ in range(3):
        await rig.change(1)
    await rig.cursor.save(BlockRef(3, "0xgone"))
    async with rig.following():
        await rig.change(2)
        await farm.clock.sleep(10)
        await rig.change(3)
        await farm.clock.sleep(10)
    assert {2, 3} <= set(rig.published())


class OddBlocks:
    """A chain port that answers from lists, for what a ledger never does."""

    def __init__(self, head: BlockRef, answers: list[list[Block]]) -> None:
        self._head = head
        self._answers = answers

    async def next_head(self, after: BlockRef | None) -> BlockRef:
        if self._head == after:
            await asyncio.Event().wait()
        return self._head

    async def blocks(self, first: int, last: int) -> list[Block]:
        if not self._answers:
            await asyncio.Event().wait()
        return self._answers.pop(0)


def block(number: int, parent: str, name: str = "", unreadable: str = "") -> Block:
    change = PowerTargetChanged(FarmId(1), NodeId(number), Power.UP)
    return Block(BlockRef(number, name or f"0x{number}"), parent, () if unreadable else (change,), unreadable)


async def test_a_batch_of_two_branches_is_used_up_to_the_break(farm: VirtualFarm) -> None:
    torn = [block(1, "0x0"), block(2, "0xother"), block(3, "0x2")]
    whole = [block(2, "0x1"), block(3, "0x2")]
    rig = Rig(farm, OddBlocks(BlockRef(3, "0x3"), [torn, whole]))
    await rig.cursor.save(BlockRef(0, "0x0"))
    async with rig.following():
        await farm.clock.sleep(5)
    assert rig.published() == [1, 2, 3]


async def test_a_block_that_no_endpoint_has_any_more_is_reported_and_skipped(farm: VirtualFarm) -> None:
    blocks = [block(1, "0x0", unreadable="state discarded"), block(2, "0x1")]
    rig = Rig(farm, OddBlocks(BlockRef(2, "0x2"), [blocks]))
    await rig.cursor.save(BlockRef(0, "0x0"))
    async with rig.following():
        await farm.clock.sleep(5)
    assert rig.published() == [2]
    assert rig.telemetry.of(BlocksSkipped) == [BlocksSkipped(1, 1, "state discarded")]
    assert rig.telemetry.of(EventsPublished) == [EventsPublished(1, 2, 1)]


async def test_a_head_that_is_gone_when_it_is_read_is_asked_for_again(farm: VirtualFarm) -> None:
    rig = Rig(farm, OddBlocks(BlockRef(1, "0x1"), [[], [block(1, "0x0")]]))
    await rig.cursor.save(BlockRef(0, "0x0"))
    async with rig.following():
        await farm.clock.sleep(5)
    assert rig.published() == [1]


async def test_going_back_where_no_block_answers_starts_at_the_oldest_known(farm: VirtualFarm) -> None:
    rig = Rig(farm, OddBlocks(BlockRef(2, "0x2"), [[block(2, "0xother")], [], [block(2, "0xold")]]))
    await rig.cursor.save(BlockRef(1, "0xold"))
    async with rig.following():
        await farm.clock.sleep(5)
    assert rig.published() == [2]


class TestWhileTheCursorCannotBeWritten:
    """R15: a full disk silences no event."""

    async def test_events_are_published_and_the_place_goes_on_in_memory(self, farm: VirtualFarm) -> None:
        rig = Rig(farm)
        rig.cursor.unwritable = True
        async with rig.following():
            for node in (1, 2, 3):
                await rig.change(node)
                await farm.clock.sleep(1)
        assert rig.published() == [1, 2, 3]
        assert rig.cursor.history == []

    async def test_r15_it_is_logged_once_and_is_a_fault_until_the_cursor_is_written_again(
        self, farm: VirtualFarm
    ) -> None:
        rig = Rig(farm)
        rig.cursor.unwritable = True
        async with rig.following():
            for _ in range(20):
                rig.block()
                await farm.clock.sleep(6)
            assert [each.doing for each in rig.telemetry.of(OperationFailed)] == [SAVING.doing]
            assert [fault.key for fault in rig.board.faults] == [SAVING.fault]
            rig.cursor.unwritable = False
            for _ in range(10):
                rig.block()
                await farm.clock.sleep(6)
            assert rig.board.faults == ()
        assert rig.cursor.history[-1].number == farm.ledger.best_number

    async def test_it_is_tried_ever_more_slowly(self, farm: VirtualFarm) -> None:
        rig = Rig(farm)
        rig.cursor.unwritable = True
        async with rig.following():
            for _ in range(600):
                rig.block()
                await farm.clock.sleep(0.1)
        assert rig.cursor.refused < 10

    async def test_after_a_restart_it_goes_on_from_the_last_place_that_was_kept(self, farm: VirtualFarm) -> None:
        rig = Rig(farm)
        async with rig.following():
            await rig.change(1)
            await farm.clock.sleep(1)
            rig.cursor.unwritable = True
            await rig.change(2)
            await farm.clock.sleep(1)
        await rig.change(3)
        async with rig.following():
            await farm.clock.sleep(1)
        assert rig.published() == [1, 2, 2, 3]


async def test_a_place_that_can_not_be_read_is_logged_and_it_starts_at_the_newest_block(farm: VirtualFarm) -> None:
    rig = Rig(farm)
    rig.cursor.unreadable = True
    async with rig.following():
        await rig.change(1)
        await farm.clock.sleep(1)
    assert rig.published() == [1]
    assert [each.doing for each in rig.telemetry.of(OperationFailed)] == ["reading the place in the chain"]


async def test_its_headline_says_how_far_it_is_and_what_is_wrong(farm: VirtualFarm) -> None:
    rig = Rig(farm)
    follower = rig.follower()
    assert follower.headline() == "waiting for a block"
    task = asyncio.ensure_future(follower.run())
    await farm.clock.sleep(1)
    await rig.change(1)
    await farm.clock.sleep(1)
    assert follower.headline() == f"publishing events, as of block {farm.ledger.best_number}"
    rig.chain.unavailable = True
    rig.block()
    await farm.clock.sleep(200)
    assert follower.headline().endswith("; 1 fault: chain-blocks")
    task.cancel()
