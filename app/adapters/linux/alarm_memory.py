"""Which alarm of the clock powerd set, and whose place it took, over the sleep.

Times are the hardware clock's own seconds. What can't be kept or read is logged and counts as
nothing: then an alarm is taken for another program's, and left alone.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path

log = logging.getLogger("powerd.rtc")


@dataclass(frozen=True, slots=True)
class KeptAlarm:
    """``set_s``: powerd's alarm as it read back; ``displaced_s``: the alarm that was set before, or None."""

    set_s: int
    displaced_s: int | None


class AlarmMemory:
    """A file; it has to outlive a power-off."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> KeptAlarm | None:
        """What was kept last, or None."""
        try:
            saved = json.loads(self._path.read_bytes())
            displaced = saved["displaced_s"]
            return KeptAlarm(int(saved["set_s"]), None if displaced is None else int(displaced))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            log.warning(
                "%s is no record of an alarm (%r): the clock's alarm counts as another program's", self._path, error
            )
            return None

    def save(self, kept: KeptAlarm) -> None:
        """Keep it over a power cut."""
        beside = self._path.with_name(self._path.name + ".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("w") as file:
                json.dump(asdict(kept), file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            log.warning(
                "%s can't be written (%s): after the sleep powerd leaves its alarm alone", self._path, error.strerror
            )

    def forget(self) -> None:
        """The alarm is gone, or another's."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s can't be removed: %s", self._path, error.strerror)
