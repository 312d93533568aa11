"""Stores the record of the last boot in a file that a power cut does not damage."""

from __future__ import annotations

import logging
from pathlib import Path

from app.adapters.files.kept_file import KeptFile
from app.domain.errors import BootMemoryUnusable
from app.domain.rules.boot_loop import BootRecord

log = logging.getLogger("powerd.boots")


class FileBootMemory(KeptFile[BootRecord]):
    """`BootMemory`. If the file is damaged, boots are counted from 0 again."""

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        super().__init__(path, BootRecord, BootMemoryUnusable, "the record of boots", log, timeout_s=timeout_s)
