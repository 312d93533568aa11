"""Sets the real-time clock's alarm, so that a sleeping node comes back even if no node can wake it (opt-in).

A machine has one alarm, and other programs use it too (a backup that wakes the machine at night).

=====================================  ==============================================================
the alarm that is set                  before the power-off
=====================================  ==============================================================
none, or powerd's own                  powerd sets its own
another's, earlier than powerd's       powerd leaves it: it wakes the node in time
another's, due within minutes          the node stays up: that alarm might ring before it is off
another's, later than powerd's         powerd sets its own, and puts the other back when it is up again
=====================================  ==============================================================

When the machine is up, powerd clears its own alarm and no other.
"""

from __future__ import annotations

from app.domain.errors import RtcUnusable
from app.domain.events import AlarmLeft, OperationFailed
from app.domain.faults import FaultKind
from app.domain.services.context.node_context import NodeContext
from app.ports.rtc_alarm import RtcAlarm

FAULT = FaultKind.RTC_ALARM.key()

TOLERANCE_S = 120
"""The alarm can read back different by this much: some clocks count whole minutes only."""

NEAR_S = 600
"""An alarm that is due this soon may ring before the machine is off; then nothing wakes the machine."""

CLEARING_S = 0.5
"""A stop of the daemon waits this long at most for a clock that hangs (R12)."""


class ClockAlarm:
    """Does nothing where ``rtc`` is None: the operator did not enable it."""

    def __init__(self, context: NodeContext, rtc: RtcAlarm | None, *, ahead_s: int) -> None:
        self._rtc = rtc
        self._clock = context.clock
        self._faults = context.faults
        self._telemetry = context.telemetry
        self._ahead_s = ahead_s
        self._rings_in_s: int | None = None

    @property
    def wakers(self) -> tuple[str, ...]:
        """The alarm that was last armed or left, in words; empty where there is none."""
        return () if self._rings_in_s is None else (f"the clock's alarm in {self._rings_in_s} s",)

    async def check(self) -> None:
        """Raises `RtcUnusable` when this machine has no alarm to arm."""
        if self._rtc is not None:
            await self._rtc.due_in_s()

    async def arm(self) -> None:
        """Set the alarm by the table above; reports a fault and raises `RtcUnusable` when that fails."""
        if self._rtc is None:
            return
        try:
            due_in_s = await self._anothers(self._rtc)
            if due_in_s is not None and due_in_s <= self._ahead_s:
                self._leave(due_in_s)
                self._rings_in_s = due_in_s
                return
            await self._rtc.arm(self._ahead_s)
            due_in_s = await self._rtc.due_in_s()
            if due_in_s is None or abs(due_in_s - self._ahead_s) > TOLERANCE_S:
                raise RtcUnusable(
                    f"the clock's alarm was set {self._ahead_s} s ahead and reads back as {_in_words(due_in_s)}; many "
                    "clocks take no more than 24 h (rtc_alarm.ahead_s), and firmware may forbid it"
                )
        except RtcUnusable as error:
            self._faults.report(FAULT, f"this node will not power off: {error}")
            raise
        self._rings_in_s = due_in_s
        self._faults.clear(FAULT)

    async def due_at_s(self) -> float | None:
        """When the alarm wakes the machine (Unix seconds): now if that can't be read, None without an alarm."""
        if self._rtc is None:
            return None
        try:
            due_in_s = await self._rtc.due_in_s()
        except RtcUnusable:
            due_in_s = 0
        return None if due_in_s is None else self._clock.now() + due_in_s

    async def clear(self) -> None:
        """Clear powerd's alarm: the machine is up. A failure is logged, and is harmless."""
        self._rings_in_s = None
        if self._rtc is None:
            return
        try:
            async with self._clock.timeout(CLEARING_S):
                await self._rtc.clear()
        except (RtcUnusable, TimeoutError) as error:
            reason = str(error) or f"no answer within {CLEARING_S} s"
            self._telemetry.record(OperationFailed("clearing the clock's alarm", reason, 0.0))

    async def _anothers(self, rtc: RtcAlarm) -> int | None:
        due_in_s = await rtc.due_in_s()
        return None if due_in_s is None or await rtc.mine() else due_in_s

    def _leave(self, due_in_s: int) -> None:
        if due_in_s < NEAR_S:
            raise RtcUnusable(
                f"another program set the clock's alarm, and it is due within {NEAR_S // 60} min; powerd waits until "
                "it is over"
            )
        self._telemetry.record(AlarmLeft(due_in_s))
        self._faults.clear(FAULT)


def _in_words(due_in_s: int | None) -> str:
    return "none" if due_in_s is None else f"{due_in_s} s ahead"
