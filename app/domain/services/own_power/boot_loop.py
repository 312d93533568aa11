"""Keeps a node up for a while that boots by itself again and again, and reports a fault (R10).

`app.domain.rules.boot_loop` decides for how long. A memory that can't be read or written is only a fault:
the guard then counts the boots that this process knows.
"""

from __future__ import annotations

from collections.abc import Callable

from app.domain.errors import MemoryUnusable
from app.domain.faults import FaultKind
from app.domain.model import NodePower, Unreadable
from app.domain.rules.boot_loop import Boot, BootLoopPolicy, BootRecord, falls_asleep, judge, stay_s
from app.domain.services.context.node_context import NodeContext
from app.ports.host_facts import HostFacts
from app.ports.memory import Memory

LOOP_FAULT = FaultKind.BOOT_LOOP.key()
MEMORY_FAULT = FaultKind.BOOT_MEMORY.key()


class BootLoopGuard:
    """Counts this machine's unwanted boots. ``memory`` is None where no memory outlives the process.

    ``suspect`` names what is known to wake the machine besides magic packets; empty if nothing is.
    """

    def __init__(
        self,
        context: NodeContext,
        memory: Memory[BootRecord] | None,
        facts: HostFacts,
        policy: BootLoopPolicy,
        suspect: Callable[[], str],
    ) -> None:
        self._memory = memory
        self._facts = facts
        self._clock = context.clock
        self._faults = context.faults
        self._policy = policy
        self._suspect = suspect
        self._record: BootRecord | None = None
        self._kept: BootRecord | None = None

    async def objection(self, power: NodePower | Unreadable) -> str:
        """Why the node must not power off yet; empty when it may.

        Every look calls it with the ``power`` just read from the chain. The first readable one judges the boot.
        """
        if isinstance(power, NodePower):
            await self._judge(power)
        stay = 0.0 if self._record is None else stay_s(self._record.unwanted, self._policy)
        return self._reason(stay) if self._facts.uptime_s() < stay else ""

    async def _judge(self, power: NodePower) -> None:
        before = await self._load() if self._record is None else self._record
        now_s = self._clock.now()
        boot = Boot(self._facts.boot_id(), now_s - self._facts.uptime_s())
        record = judge(power, before, boot, now_s, self._policy)
        first, self._record = self._record is None, record
        if first or record is not before:
            await self._keep(record)
            self._show(record)

    async def leaving(self) -> None:
        """Save that the node is about to power off: its sleep is measured from now."""
        record = self._record
        if record is not None and (record.unwanted or record != self._kept):
            self._record = falls_asleep(record, self._clock.now())
            await self._keep(self._record)

    def _show(self, record: BootRecord) -> None:
        stay = stay_s(record.unwanted, self._policy)
        if stay:
            self._faults.report(LOOP_FAULT, f"{self._reason(stay)}; find out what wakes it, or set its target to Up")
        else:
            self._faults.clear(LOOP_FAULT)

    def _reason(self, stay: float) -> str:
        boots = 0 if self._record is None else self._record.unwanted
        reason = (
            f"this node was booted {boots} times in a row though its target is Down: it stays up {stay:.0f} s a boot"
        )
        suspect = self._suspect()
        return f"{reason}; {suspect}" if suspect else reason

    async def _load(self) -> BootRecord | None:
        if self._memory is None:
            return None
        try:
            self._kept = await self._memory.load()
        except MemoryUnusable as error:
            self._report_unusable(error)
        return self._kept

    async def _keep(self, record: BootRecord) -> None:
        if self._memory is None or record == self._kept:
            return
        try:
            await self._memory.save(record)
        except MemoryUnusable as error:
            self._report_unusable(error)
        else:
            self._kept = record
            self._faults.clear(MEMORY_FAULT)

    def _report_unusable(self, error: MemoryUnusable) -> None:
        self._faults.report(MEMORY_FAULT, f"a boot loop of this node would not be noticed: {error}")
