"""Keeps the record of the last boot in a file that a power cut can't tear."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from app.adapters.files.durable_json import write_durably
from app.adapters.linux.daemon_thread import DaemonThread
from app.domain.brake_rules import BootRecord
from app.domain.errors import BootMemoryUnusable

Result = TypeVar("Result")

log = logging.getLogger("powerd.boots")


class FileBootMemory:
    """`BootMemory`: written beside, synced, and moved into place, in a thread: a dying disk may hang.

    The file has to lie on a disk; in memory (as all of Zero-OS but /var/cache) it is gone at every boot.
    """

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._thread = DaemonThread("powerd-boots", timeout_s)

    async def load(self) -> BootRecord | None:
        """The record kept last; a damaged file is told in the log, and counts as none."""
        return await self._ask(self._load)

    async def save(self, record: BootRecord) -> None:
        """Keep it; `BootMemoryUnusable` names the file and what is wrong."""
        await self._ask(lambda: self._save(record))

    async def _ask(self, question: Callable[[], Result]) -> Result:
        remedy = "mend its disk, or name another file (boot_memory.file)"
        try:
            return await self._thread.run(question)
        except TimeoutError:
            reason = f"{self._path} did not answer within {self._timeout_s:g} s; {remedy}"
            raise BootMemoryUnusable(reason) from None
        except OSError as error:
            raise BootMemoryUnusable(f"{self._path}: {error.strerror}; {remedy}") from error

    def _load(self) -> BootRecord | None:
        try:
            saved = json.loads(self._path.read_bytes())
            record = BootRecord(str(saved["boot_id"]), int(saved["unwanted"]), float(saved["awake_at_s"]))
            if record.unwanted < 0 or not math.isfinite(record.awake_at_s):
                raise ValueError(f"{saved} is no record of a boot")
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            log.warning("the record of boots %s is damaged (%r); boots are counted anew", self._path, error)
            return None
        return record

    def _save(self, record: BootRecord) -> None:
        kept = {"boot_id": record.boot_id, "unwanted": record.unwanted, "awake_at_s": record.awake_at_s}
        write_durably(self._path, kept)
