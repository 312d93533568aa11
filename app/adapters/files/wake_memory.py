"""Stores what proves a wake in a file that a power cut does not damage, and the operator's trial beside it."""

from __future__ import annotations

import logging
from pathlib import Path

from app.adapters.files.kept_file import KeptFile
from app.domain.errors import WakeMemoryUnusable
from app.domain.rules.proved_wake import Trial, WakeRecord

log = logging.getLogger("powerd.wakes")

TRIAL_MODE = 0o644


class FileWakeMemory:
    """`WakeMemory` in two `KeptFile`s."""

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        trial = path.with_name(f"{path.stem}-trial.json")
        self._trial_path = trial
        self._file = KeptFile(path, WakeRecord, WakeMemoryUnusable, "the record of wakes", log, timeout_s=timeout_s)
        self._trial = KeptFile(trial, Trial, WakeMemoryUnusable, "the allowed trial", log, timeout_s=timeout_s)

    async def load(self) -> WakeRecord:
        return await self._file.load() or WakeRecord()

    async def save(self, record: WakeRecord) -> None:
        await self._file.save(record)

    async def trial(self) -> Trial | None:
        return await self._trial.load()

    async def allow(self, trial: Trial) -> None:
        await self._trial.save(trial)
        # Whatever the umask of the operator's shell: the daemon has to read it.
        self._trial_path.chmod(TRIAL_MODE)

    async def end_trial(self) -> None:
        await self._trial.clear()
