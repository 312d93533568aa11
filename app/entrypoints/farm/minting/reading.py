"""Reads a farm's period from the chain, except what an earlier reading has kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from app.adapters.files.minting_record import FileMintingRecord, RecordNotKept
from app.domain.errors import ChainUnavailable, PermanentError, UnknownIdentity
from app.domain.minting.events import BlockWithEvents, Event, TimedBlock
from app.domain.minting.ledger import EventOutOfPlace, MonthLedger
from app.domain.minting.period import LATE_EVENTS_S, Period
from app.domain.model import FarmId, NodeId
from app.ports.farm_history import FarmHistory

RETRIES_S = (1.0, 2.0, 4.0, 8.0)
"""Pauses before powerd asks for a failed batch again: a lost connection must not end a long reading."""


class RecordUnusable(PermanentError):
    """What was kept contradicts itself, or was changed while it was read."""


@dataclass(frozen=True, slots=True)
class ReadingListener:
    """Gets news of the reading: ``warn`` what goes wrong, ``passes`` (blocks read now, blocks in all)."""

    warn: Callable[[str], None]
    passes: Callable[[int, int], None]


class PeriodReading:
    """Of one farm and period; ``newest`` is the newest final block, up to which it is read at most."""

    def __init__(
        self, history: FarmHistory, record: FileMintingRecord, farm: FarmId, period: Period, listener: ReadingListener
    ) -> None:
        self._history = history
        self._record = record
        self._farm = farm
        self._period = period
        self._listener = listener

    async def read(self, ledger: MonthLedger, newest: TimedBlock, batch: int) -> TimedBlock:
        """Feed the ledger everything that can be known now; returns the block up to which that is.

        Raises the errors of the chain.
        """
        if self._record.not_kept:
            self._listener.warn(self._record.not_kept)
        last = await self._history.last_before(self._period.end_s + LATE_EVENTS_S + 1, newest)
        nodes = set(await self._history.nodes(self._farm, newest))
        await self._check_kept(newest)
        if self._record.mark is None:
            begins = await self._history.last_before(self._period.start_s, newest)
            nodes |= set(await self._history.nodes(self._farm, begins))
            if not nodes:
                raise UnknownIdentity(f"the chain knows no node of farm {self._farm}; check the farm id (--farm)")
            initials = await self._history.powers(sorted(nodes), begins)
            self._feed(ledger, initials)
            self._keep(initials, begins)
            mark = begins
        else:
            mark = self._record.mark
            self._feed_kept(ledger)
            nodes |= set(ledger.nodes)
        return await self._go_on(ledger, nodes, mark, last, batch)

    async def _go_on(
        self, ledger: MonthLedger, nodes: Collection[NodeId], mark: TimedBlock, last: TimedBlock, batch: int
    ) -> TimedBlock:
        begin, total = mark.ref.number, last.ref.number - mark.ref.number
        while mark.ref.number < last.ref.number:
            first, end = mark.ref.number + 1, min(mark.ref.number + batch, last.ref.number)
            blocks = await self._blocks(nodes, first, end, patient=first > begin + 1)
            events = [event for block in blocks for event in block.events]
            mark = blocks[-1].block
            self._feed(ledger, events)
            self._keep(events, mark)
            self._listener.passes(mark.ref.number - begin, total)
        return mark

    async def _blocks(
        self, nodes: Collection[NodeId], first: int, last: int, *, patient: bool
    ) -> Sequence[BlockWithEvents]:
        for pause_s in RETRIES_S if patient else ():
            try:
                return await self._history.blocks(nodes, first, last)
            except ChainUnavailable as error:
                self._listener.warn(f"{error}; block {first} is asked for again in {pause_s:g} s")
                await asyncio.sleep(pause_s)
        return await self._history.blocks(nodes, first, last)

    async def _check_kept(self, newest: TimedBlock) -> None:
        """A final block stays for ever; only a chain that was recreated has another one in its place."""
        kept = self._record.mark
        if kept is None:
            return
        if kept.ref.number > newest.ref.number:
            raise ChainUnavailable(
                f"the newest final block is {newest.ref.number}, and block {kept.ref.number} was read before: the "
                f"endpoint is behind; ask again, or remove {self._record.path} if this chain was recreated"
            )
        (found,) = await self._history.blocks([], kept.ref.number, kept.ref.number)
        if found.block != kept:
            self._listener.warn(f"{self._record.path} is of another chain; the period is read again")
            self._record.begin_again()

    def _feed(self, ledger: MonthLedger, events: Iterable[Event]) -> None:
        for event in events:
            ledger.add(event)

    def _feed_kept(self, ledger: MonthLedger) -> None:
        try:
            self._feed(ledger, self._record.events())
        except (ValueError, EventOutOfPlace) as error:
            raise RecordUnusable(
                f"what was kept in {self._record.path} can't be used: {error}. Ask again; where that does not help, "
                "remove it"
            ) from error

    def _keep(self, events: Iterable[Event], mark: TimedBlock) -> None:
        try:
            self._record.add(events, mark)
        except RecordNotKept as error:
            self._listener.warn(str(error))
