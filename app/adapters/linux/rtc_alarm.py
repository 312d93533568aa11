"""The clock's alarm in sysfs: ``wakealarm`` and ``since_epoch`` of ``/sys/class/rtc/rtcN``.

The kernel documents them in Documentation/ABI/testing/sysfs-class-rtc. ``since_epoch`` is the clock's own
time in seconds. ``wakealarm`` is the alarm's time: empty when none is set, and missing where the hardware
cannot wake the machine. To write a past time (0) clears the alarm. While one is set, the kernel refuses
another (EBUSY). Many clocks refuse an alarm of more than 24 h ahead.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from app.adapters.linux.alarm_memory import AlarmMemory, KeptAlarm
from app.adapters.processes.daemon_thread import DaemonThread
from app.adapters.processes.exhausted import remedy_of
from app.domain.errors import RtcSilent, RtcUnusable

Result = TypeVar("Result")

log = logging.getLogger("powerd.rtc")

COARSE_S = 120
"""Some clocks know minutes only, and read back a rounded time after a boot."""


class LinuxRtcAlarm:
    """`RtcAlarm` of the clock in directory ``device``; the driver must answer within ``timeout_s``.

    The file ``memory`` stores, over a sleep, which alarm is powerd's.
    """

    def __init__(self, device: Path, memory: Path, timeout_s: float = 5.0) -> None:
        self._alarm = device / "wakealarm"
        self._time = device / "since_epoch"
        self._memory = AlarmMemory(memory)
        self._timeout_s = timeout_s
        self._thread = DaemonThread("powerd-rtc", timeout_s)

    async def arm(self, ahead_s: int) -> None:
        """Clear, then set. If the kernel refuses, the earlier alarm is set again."""

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

        await self._in_thread(work)

    async def due_in_s(self) -> int | None:
        """Seconds until the alarm; None if there is none, or if it is past."""

        def work() -> int | None:
            alarm_s = self._set_s()
            return None if alarm_s is None else alarm_s - self._now_s()

        return await self._in_thread(work)

    async def mine(self) -> bool:
        return await self._in_thread(lambda: _is(self._memory.load(), self._set_s()))

    async def clear(self) -> None:
        """Clear powerd's alarm, or set again the one of another program that it replaced."""

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

        await self._in_thread(work)

    def _now_s(self) -> int:
        return int(self._time.read_text())

    def _set_s(self) -> int | None:
        """The alarm in the clock's own time; None if there is none, or if it is past."""
        text = self._alarm.read_text().strip()
        return int(text) if text and int(text) > self._now_s() else None

    def _restore(self, alarm_s: int | None) -> None:
        if alarm_s is not None and alarm_s > self._now_s():
            self._write(str(alarm_s))
            log.info("the clock's alarm of another program is set again")

    def _write(self, text: str) -> None:
        # The file is never created: where the kernel has none, there is no alarm.
        descriptor = os.open(self._alarm, os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)

    async def _in_thread(self, question: Callable[[], Result]) -> Result:
        remedy = "name another clock (rtc_alarm.device), or switch the alarm off (rtc_alarm.enabled)"
        try:
            return await self._thread.run(question)
        except FileNotFoundError as error:
            raise RtcUnusable(f"{error.filename} is missing: this clock can't wake the machine; {remedy}") from error
        except TimeoutError:
            reason = f"{self._alarm} did not answer within {self._timeout_s:g} s; {remedy}"
            raise RtcSilent(reason) from None
        except OSError as error:
            raise RtcUnusable(f"{self._alarm} can't be used: {error.strerror}; {remedy_of(error, remedy)}") from error
        except ValueError as error:
            raise RtcUnusable(f"{self._alarm} or {self._time} is no time ({error}); {remedy}") from error


def _is(kept: KeptAlarm | None, alarm_s: int | None) -> bool:
    return kept is not None and alarm_s is not None and abs(kept.set_s - alarm_s) <= COARSE_S
