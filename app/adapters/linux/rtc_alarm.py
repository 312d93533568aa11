"""The clock's alarm by sysfs: ``wakealarm`` and ``since_epoch`` of ``/sys/class/rtc/rtcN``.

As the kernel documents them (Documentation/ABI/testing/sysfs-class-rtc): ``since_epoch`` is the
clock's own time in seconds; ``wakealarm`` is the alarm's, empty when none is set, and missing where
the hardware can't wake the machine. Writing a time that is past (0) clears it; while one is set,
another is refused (EBUSY). Many clocks take no alarm more than 24 h ahead.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from app.adapters.linux.daemon_thread import DaemonThread
from app.domain.errors import RtcSilent, RtcUnusable

Result = TypeVar("Result")


class LinuxRtcAlarm:
    """`RtcAlarm` of the clock in directory ``device``; the driver has ``timeout_s`` to answer."""

    def __init__(self, device: Path, timeout_s: float = 5.0) -> None:
        self._alarm = device / "wakealarm"
        self._time = device / "since_epoch"
        self._timeout_s = timeout_s
        self._thread = DaemonThread("powerd-rtc", timeout_s)

    async def arm(self, ahead_s: int) -> None:
        """Clear, then set."""

        def work() -> None:
            due_s = int(self._time.read_text()) + ahead_s
            self._write("0")
            self._write(str(due_s))

        await self._ask(work)

    async def due_in_s(self) -> int | None:
        """One that is over is none."""

        def work() -> int | None:
            text = self._alarm.read_text().strip()
            ahead_s = int(text) - int(self._time.read_text()) if text else 0
            return ahead_s if ahead_s > 0 else None

        return await self._ask(work)

    async def clear(self) -> None:
        """Write a time that is past."""
        await self._ask(lambda: self._write("0"))

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
