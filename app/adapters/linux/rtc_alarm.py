"""The clock's alarm by sysfs: ``wakealarm`` and ``since_epoch`` of ``/sys/class/rtc/rtcN``.

As the kernel documents them (Documentation/ABI/testing/sysfs-class-rtc): ``since_epoch`` is the
clock's own time in seconds; ``wakealarm`` is the alarm's, empty when none is set, and missing where
the hardware can't wake the machine. Writing a time that is past (0) clears it; while one is set,
another is refused (EBUSY). Many clocks take no alarm more than 24 h ahead.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from app.adapters.linux.alarm_memory import AlarmMemory, KeptAlarm
from app.adapters.linux.daemon_thread import DaemonThread
from app.domain.errors import RtcSilent, RtcUnusable

Result = TypeVar("Result")

log = logging.getLogger("powerd.rtc")

COARSE_S = 120
"""Some clocks know minutes only, and round after a boot what they read back before."""


class LinuxRtcAlarm:
    """`RtcAlarm` of the clock in directory ``device``; the driver has ``timeout_s`` to answer.

    The file ``memory`` tells after a sleep which alarm was powerd's.
    """

    def __init__(self, device: Path, memory: Path, timeout_s: float = 5.0) -> None:
        self._alarm = device / "wakealarm"
        self._time = device / "since_epoch"
        self._memory = AlarmMemory(memory)
        self._timeout_s = timeout_s
        self._thread = DaemonThread("powerd-rtc", timeout_s)

    async def arm(self, ahead_s: int) -> None:
        """Clear, then set; where that is refused, what was set before is set again."""

        def work() -> None:
            due_s = self._now_s() + ahead_s
            before_s, kept = self._set_s(), self._memory.load()
            displaced_s = before_s
            if _is(kept, before_s):
                displaced_s = None if kept is None else kept.displaced_s
            self._write("0")
            try:
                self._write(str(due_s))
            except OSError:
                self._restore(before_s)
                raise
            self._memory.save(KeptAlarm(self._set_s() or due_s, displaced_s))

        await self._ask(work)

    async def due_in_s(self) -> int | None:
        """One that is over is none."""

        def work() -> int | None:
            alarm_s = self._set_s()
            return None if alarm_s is None else alarm_s - self._now_s()

        return await self._ask(work)

    async def mine(self) -> bool:
        """Whether it is the one in the memory."""
        return await self._ask(lambda: _is(self._memory.load(), self._set_s()))

    async def clear(self) -> None:
        """Write a time that is past, or that of the other program's alarm."""

        def work() -> None:
            kept, alarm_s = self._memory.load(), self._set_s()
            if kept is None:
                return
            mine = _is(kept, alarm_s)
            if mine:
                self._write("0")
            if mine or alarm_s is None:
                self._restore(kept.displaced_s)
            self._memory.forget()

        await self._ask(work)

    def _now_s(self) -> int:
        return int(self._time.read_text())

    def _set_s(self) -> int | None:
        """The alarm by the clock's own time; one that is over is none."""
        text = self._alarm.read_text().strip()
        return int(text) if text and int(text) > self._now_s() else None

    def _restore(self, alarm_s: int | None) -> None:
        if alarm_s is not None and alarm_s > self._now_s():
            self._write(str(alarm_s))
            log.info("the clock's alarm of another program is set again")

    def _write(self, text: str) -> None:
        # Never made: where the kernel has no such file, there is no alarm.
        descriptor = os.open(self._alarm, os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)

    async def _ask(self, question: Callable[[], Result]) -> Result:
        remedy = "name another clock (rtc_alarm.device), or do without its alarm (rtc_alarm.enabled)"
        try:
            return await self._thread.run(question)
        except FileNotFoundError as error:
            raise RtcUnusable(f"{error.filename} is missing: this clock can't wake the machine; {remedy}") from error
        except TimeoutError:
            reason = f"{self._alarm} did not answer within {self._timeout_s:g} s; {remedy}"
            raise RtcSilent(reason) from None
        except OSError as error:
            raise RtcUnusable(f"{self._alarm} can't be used: {error.strerror}; {remedy}") from error
        except ValueError as error:
            raise RtcUnusable(f"{self._alarm} or {self._time} is no time ({error}); {remedy}") from error


def _is(kept: KeptAlarm | None, alarm_s: int | None) -> bool:
    return kept is not None and alarm_s is not None and abs(kept.set_s - alarm_s) <= COARSE_S
