"""The file that remembers, over a sleep, which alarm of the clock powerd set and which one it replaced.

Times are seconds of the hardware clock. A failure is logged. Without the file, a set alarm counts as
another program's, and powerd leaves it alone.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

from app.domain.values import value

log = logging.getLogger("powerd.rtc")


@value
class KeptAlarm:
    """``set_s``: powerd's alarm, as it was read back; ``displaced_s``: the alarm that it replaced, or None."""

    set_s: int
    displaced_s: int | None


class AlarmMemory:
    """The file. It must be on a disk, since it must outlive a power-off."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> KeptAlarm | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=KeptAlarm)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, RecursionError) as error:
            log.warning(
                "%s is no record of an alarm (%s): the clock's alarm counts as another program's", self._path, error
            )
            return None

    def save(self, kept: KeptAlarm) -> None:
        beside = self._path.with_name(self._path.name + ".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                file.write(msgspec.json.encode(kept))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            log.warning(
                "%s can't be written (%s): after the sleep powerd leaves its alarm alone", self._path, error.strerror
            )

    def forget(self) -> None:
        """Remove the file: the alarm is gone, or is another program's."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s can't be removed: %s", self._path, error.strerror)
