"""Stores the record of the last boot in a file that a power cut does not damage."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

from app.adapters.files.kept_file import KeptFile
from app.domain.errors import BootMemoryUnusable
from app.domain.rules.boot_loop import BootRecord

log = logging.getLogger("powerd.boots")


class FileBootMemory:
    """`BootMemory` in a `KeptFile`. If the file is damaged, boots are counted from 0 again."""

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        self._file = KeptFile(path, BootMemoryUnusable, "the record of boots", log, timeout_s=timeout_s)

    async def load(self) -> BootRecord | None:
        """The stored record. A damaged file is logged, and counts as none."""
        return await self._file.load(_record)

    async def save(self, record: BootRecord) -> None:
        """Store the record. `BootMemoryUnusable` names the file and the reason."""
        await self._file.save({"boot_id": record.boot_id, "unwanted": record.unwanted, "awake_at_s": record.awake_at_s})


def _record(saved: Any) -> BootRecord:
    record = BootRecord(str(saved["boot_id"]), int(saved["unwanted"]), float(saved["awake_at_s"]))
    if record.unwanted < 0 or not math.isfinite(record.awake_at_s):
        raise ValueError(f"{saved} is no record of a boot")
    return record
