"""Judges whether a boot was a wake; if the operator requires it, keeps the node up until one was proved (R14).

`app.domain.rules.proved_wake` defines what proves a wake. A memory that can't be read or written is a fault: a
proof can be lost by it, but never invented.
"""

from __future__ import annotations

import math

from app.domain.errors import ChainUnavailable, MemoryUnusable
from app.domain.events import OperationFailed, WakeProved
from app.domain.faults import FaultKind
from app.domain.model import Head, Inclusion, NodePower, Power, PowerState
from app.domain.rules.power import OwnPower
from app.domain.rules.proved_wake import (
    Departure,
    PowerThen,
    Trial,
    WakeRecord,
    may_prove,
    proves,
    still_down_at_s,
)
from app.domain.services.context.node_context import NodeContext
from app.domain.services.own_power.clock_alarm import ClockAlarm
from app.ports.chain import ChainReader
from app.ports.host_facts import HostFacts
from app.ports.memory import Memory

FAULT = FaultKind.WAKE_MEMORY.key()
SETTING = "power_management.require_proved_wake"
USUAL_BLOCK_S = 6.0
NEAR_S = 60.0
"""A block can be this much older than the moment in question."""
LOOKS_MAX = 8
SHUTDOWN_S = 900.0
"""A valid trial stays valid for the length of a shutdown: a shutdown that is aborted after Down costs income (R13)."""
SHORTEST_BLOCK_S = 0.1
LEFT = NodePower(PowerState(Power.DOWN), Power.DOWN)
"""The node's power when it went to sleep."""
JUDGING_S = 10.0
"""A look at the chain waits this long at most for the judgement of a boot; the next look tries again."""


class WakeProof:
    """Keeps and proves nothing where ``memory`` is None."""

    def __init__(
        self,
        context: NodeContext,
        memory: Memory[WakeRecord] | None,
        trials: Memory[Trial] | None,
        chain: ChainReader,
        facts: HostFacts,
        alarm: ClockAlarm,
        *,
        required: bool,
    ) -> None:
        self._node = context.node.node
        self._clock = context.clock
        self._faults = context.faults
        self._telemetry = context.telemetry
        self._memory = memory
        self._trials = trials
        self._chain = chain
        self._facts = facts
        self._alarm = alarm
        self._required = required
        self._record: WakeRecord | None = None
        self._leaving = False
        self._allowed_until_s = float("-inf")

    @property
    def proved_at_s(self) -> float | None:
        """The start of the boot of the last proved wake (Unix seconds); None without one."""
        return None if self._record is None else self._record.proved_at_s

    async def objection(self, own: OwnPower) -> str:
        """Why the node must not power off yet; empty when it may.

        Every look calls it with ``own`` just read from the chain. The first call that can judge the boot does so.
        """
        record = await self._load()
        if record is not None and record.departure is not None and not self._leaving:
            await self._judge(record.departure, record, own)
        return await self._trial_or_proof() if self._required else ""

    async def leaving(self) -> None:
        """Save the departure: the power-off is about to be ordered, and the target is Down."""
        self._leaving = True
        alarm_at_s = await self._alarm.due_at_s()
        departure = Departure(self._facts.boot_id(), self._clock.now(), alarm_at_s)
        await self._keep(WakeRecord(departure, self.proved_at_s))

    async def staying(self) -> None:
        """Drop the departure: the order was withdrawn, or failed."""
        if self._leaving:
            self._leaving = False
            await self._keep(WakeRecord(None, self.proved_at_s))

    async def _judge(self, departure: Departure, record: WakeRecord, own: OwnPower) -> None:
        if own.head is None or own.head.number is None:
            return
        boot_at_s = own.head.time_s - self._facts.uptime_s()
        try:
            async with self._clock.timeout(JUDGING_S):
                proved = await self._is_proof(departure, own.head, boot_at_s)
        except (ChainUnavailable, TimeoutError) as error:
            reason = str(error) or f"no answer within {JUDGING_S:.0f} s"
            self._telemetry.record(OperationFailed("judging whether this boot was a wake", reason, 0.0))
            return
        if proved:
            self._telemetry.record(WakeProved(boot_at_s))
        judged = WakeRecord(None, boot_at_s if proved else record.proved_at_s)
        await self._keep(judged, trial_is_over=True)  # the trial was of another boot

    async def _is_proof(self, departure: Departure, head: Head, boot_at_s: float) -> bool:
        if not may_prove(departure, self._facts.boot_id(), boot_at_s):
            return False
        at_boot = await self._power_at(head, boot_at_s)
        earlier_s = still_down_at_s(departure, boot_at_s)
        # The state Down at the departure was read right before the order.
        return proves(at_boot, LEFT if earlier_s is None else await self._power_at(head, earlier_s))

    async def _power_at(self, head: Head, at_s: float) -> PowerThen:
        """The power in a block up to a minute before that moment; None when no such block is found."""
        newest = head.number or 0
        pace_s = USUAL_BLOCK_S
        number = newest - math.ceil((head.time_s - at_s) / pace_s)
        for _ in range(LOOKS_MAX):
            number = min(max(number, 1), newest)
            past = await self._chain.power_in(self._node, Inclusion("", number))
            if past is None:
                return None
            gap_s = at_s - past.head.time_s
            if 0 <= gap_s <= NEAR_S:
                return past.power
            pace_s = max((head.time_s - past.head.time_s) / max(newest - number, 1), SHORTEST_BLOCK_S)
            number += math.floor(gap_s / pace_s)
        return None

    async def _trial_or_proof(self) -> str:
        if self._trials is None:
            return f"this node has no memory for a proved wake ({SETTING})"
        now_s = self._clock.monotonic()
        if self.proved_at_s is not None or now_s < self._allowed_until_s:
            return ""
        try:
            trial = await self._trials.load()
        except MemoryUnusable as error:
            return f"it is not known whether a wake of this node was seen: {error}"
        if trial is not None and trial.lasts(self._facts.boot_id(), self._facts.uptime_s()):
            self._allowed_until_s = now_s + SHUTDOWN_S
            return ""
        return f"no wake of this node was seen yet ({SETTING}); `powerd check --trial` lets it sleep once, as a test"

    async def _load(self) -> WakeRecord | None:
        if self._record is None and self._memory is not None:
            try:
                self._record = await self._memory.load() or WakeRecord()
            except MemoryUnusable as error:
                self._report_unusable(error)
        return self._record

    async def _keep(self, record: WakeRecord, *, trial_is_over: bool = False) -> None:
        if self._memory is None:
            return
        self._record = record
        try:
            await self._memory.save(record)
            if trial_is_over and self._trials is not None:
                await self._trials.clear()
        except MemoryUnusable as error:
            self._report_unusable(error)
        else:
            self._faults.clear(FAULT)

    def _report_unusable(self, error: MemoryUnusable) -> None:
        self._faults.report(FAULT, f"the proof that this node can be woken can't be saved: {error}")
