"""Follows the chain's best head and publishes its farm's PowerTargetChanged to the stream."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.backoff import Backoff
from app.domain.errors import EventsUnavailable, RetryableError, WrongChain
from app.domain.events import BlocksSkipped, ChainReorganised, EventsPublished
from app.domain.faults import FaultKind
from app.domain.rules.follower import continues, cut_back, extend, next_range, unbroken
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.retry import Work
from app.domain.services.events.checkpoint import Checkpoint
from app.domain.status import with_faults
from app.ports.chain_blocks import Block, BlockRef, ChainBlocks
from app.ports.memory import Memory
from app.ports.power_events import PowerEventsOut

RETRY = Backoff(0.5, 30.0)
FOLLOWING = Work(
    "following the chain",
    FaultKind.CHAIN_BLOCKS.key(),
    "see that the endpoints in chain.urls answer",
    RETRY,
    once=True,
)
PUBLISHING = Work(
    "publishing events",
    FaultKind.EVENTS_OUT.key(),
    "the daemons that read the stream get no event, and find a change at their next look at the chain; docs/redis.md "
    "says which rights powerd needs in Redis",
    RETRY,
    once=True,
)


BLOCKS = "the chain's blocks"


class Follower:
    """Publishes first and saves its place afterwards: after a crash it may publish a block twice, and skips none."""

    def __init__(
        self,
        context: NodeContext,
        chain: ChainBlocks,
        out: PowerEventsOut,
        cursor: Memory[BlockRef],
        *,
        batch: int = 64,
    ) -> None:
        self._chain = chain
        self._out = out
        self._checkpoint = Checkpoint(cursor, context)
        self._farm = context.node.farm
        self._telemetry = context.telemetry
        self._progress = context.progress
        self._faults = context.faults
        self._batch = batch
        self._following = context.retry(FOLLOWING)
        self._publishing = context.retry(PUBLISHING)
        self._trail: tuple[BlockRef, ...] = ()
        self._head: BlockRef | None = None
        self._reached = False

    def headline(self) -> str:
        """What the follower is doing now, in one line."""
        doing = f"publishing events, as of block {self._trail[-1].number}" if self._trail else "waiting for a block"
        return with_faults(doing, [fault.key for fault in self._faults.faults])

    async def run(self) -> None:
        """Follow for ever; after a failure, go on from the last place, with backoff."""
        while True:
            self._progress.made(BLOCKS, waits_s=RETRY.delay_s_max)
            try:
                await self.advance()
                self._following.succeeded()
            except EventsUnavailable as error:
                # A success in reading blocks is no success in publishing; each outage ends by itself.
                self._following.succeeded()
                await self._publishing.pause(str(error))
            except (RetryableError, WrongChain) as error:
                # An endpoint that serves another chain for a while must not stop the events for ever.
                await self._following.pause(str(error))

    async def advance(self) -> None:
        """Wait for a new head, and publish the blocks up to it (one batch a call)."""
        if not self._trail:
            await self._begin()
        if not self._reached:
            # Now, and not at the first change, which may come after hours: until then a wrong URL would be hidden.
            await self._out.reach()
            self._publishing.succeeded()
            self._reached = True
        cursor = self._trail[-1]
        if self._head is None or self._head == cursor:
            self._head = await self._chain.next_head(cursor)
        span = next_range(cursor, self._head, self._batch)
        blocks = await self._chain.blocks(*span)
        if continues(cursor, blocks):
            await self._publish(unbroken(blocks))
        elif blocks or span[0] <= cursor.number:
            await self._go_back(cursor)
        else:
            # The chain became shorter during the read.
            self._head = None

    async def _begin(self) -> None:
        saved = await self._checkpoint.load()
        if saved is None:
            # The daemons' own looks at the chain find all earlier changes (R2).
            saved = await self._chain.next_head(None)
            await self._checkpoint.save(saved)
        self._trail = (saved,)

    async def _publish(self, blocks: Sequence[Block]) -> None:
        changes = [change for block in blocks for change in block.changes if change.farm == self._farm]
        if changes:
            await self._out.publish(changes)
            self._publishing.succeeded()
        last = blocks[-1].ref
        # The place in memory first: these blocks are done even when the cursor can't be saved.
        self._trail = extend(self._trail, blocks)
        await self._checkpoint.save(last)
        for block in blocks:
            if block.unreadable:
                self._telemetry.record(BlocksSkipped(block.ref.number, block.ref.number, block.unreadable))
        if changes:
            self._telemetry.record(EventsPublished(blocks[0].ref.number, last.number, len(changes)))

    async def _go_back(self, cursor: BlockRef) -> None:
        """Find the newest block of our trail that is on the chain, and go on from there."""
        steps = 1
        while len(self._trail) > 1:
            self._trail = cut_back(self._trail, steps)
            candidate = self._trail[-1]
            found = await self._chain.blocks(candidate.number, candidate.number)
            if found and found[0].ref == candidate:
                break
            steps *= 2
        else:
            await self._rejoin()
        self._telemetry.record(ChainReorganised(cursor.number, self._trail[-1].number))

    async def _rejoin(self) -> None:
        """No block of the trail is on the chain: go on below the oldest, or from the head of a shorter chain."""
        oldest = self._trail[0]
        self._head = await self._chain.next_head(oldest)
        start = max(0, min(oldest.number, self._head.number) - self._batch)
        below = await self._chain.blocks(start, start)
        if below:
            self._trail = (below[0].ref,)
