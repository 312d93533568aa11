"""Stores what proves a wake in a file that a power cut does not damage, and the operator's trial beside it."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.adapters.files.kept_file import KeptFile
from app.domain.errors import WakeMemoryUnusable
from app.domain.rules.proved_wake import Departure, Trial, WakeRecord

log = logging.getLogger("powerd.wakes")

NOTHING = WakeRecord()
TRIAL_MODE = 0o644


class FileWakeMemory:
    """`WakeMemory` in two `KeptFile`s."""

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        trial = path.with_name(f"{path.stem}-trial.json")
        self._trial_path = trial
        self._file = KeptFile(path, WakeMemoryUnusable, "the record of wakes", log, timeout_s=timeout_s)
        self._trial = KeptFile(trial, WakeMemoryUnusable, "the allowed trial", log, timeout_s=timeout_s)

    async def load(self) -> WakeRecord:
        return await self._file.load(_record) or NOTHING

    async def save(self, record: WakeRecord) -> None:
        await self._file.save(asdict(record))

    async def trial(self) -> Trial | None:
        return await self._trial.load(_allowed)

    async def allow(self, trial: Trial) -> None:
        await self._trial.save(asdict(trial))
        # Whatever the umask of the operator's shell: the daemon has to read it.
        self._trial_path.chmod(TRIAL_MODE)

    async def end_trial(self) -> None:
        await self._trial.clear()


def _record(saved: Any) -> WakeRecord:
    left, proved_at_s = saved["departure"], saved["proved_at_s"]
    return WakeRecord(None if left is None else _departure(left), None if proved_at_s is None else _moment(proved_at_s))


def _departure(saved: Mapping[str, Any]) -> Departure:
    alarm_at_s = saved["alarm_at_s"]
    return Departure(
        _text(saved["boot_id"]), _moment(saved["at_s"]), None if alarm_at_s is None else _moment(alarm_at_s)
    )


def _allowed(saved: Any) -> Trial:
    return Trial(_text(saved["boot_id"]), _moment(saved["until_uptime_s"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _moment(value: Any) -> float:
    if isinstance(value, bool) or not 0 <= float(value) < math.inf:
        raise ValueError(f"{value!r} is no moment")
    return float(value)
