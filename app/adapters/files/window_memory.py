"""Stores the open down window in a file that a power cut does not damage."""

from __future__ import annotations

import logging
import math
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from app.adapters.files.kept_file import KeptFile
from app.domain.errors import WindowMemoryUnusable
from app.domain.rules.paid import DownWindow

log = logging.getLogger("powerd.paid")


class FileWindowMemory:
    """`WindowMemory` in a `KeptFile`. If the file is damaged, powerd reads what the chain knows of the window."""

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        self._file = KeptFile(path, WindowMemoryUnusable, "the record of the last Down", log, timeout_s=timeout_s)

    async def load(self) -> DownWindow | None:
        """The stored window. A damaged file is logged, and counts as none."""
        return await self._file.load(_window)

    async def save(self, window: DownWindow) -> None:
        """Store the window. `WindowMemoryUnusable` names the file and the reason.

        An intent (a window that is not ``sure``) is for the next process of this boot. After a power cut the chain
        shows the Down, so that Down need not wait for the disk.
        """
        await self._file.save(asdict(window), durably=window.sure)

    async def clear(self) -> None:
        await self._file.clear()


def _window(saved: Any) -> DownWindow:
    """Each field must have a value of its type: what was written by hand, or by another version, is no record."""
    window = DownWindow(**{field.name: saved[field.name] for field in fields(DownWindow)})
    if not (isinstance(window.boot_id, str) and isinstance(window.down_hash, str)):
        raise TypeError(f"{saved} has no texts where they belong")
    if not (isinstance(window.sure, bool) and isinstance(window.was_up, bool)):
        raise TypeError(f"{saved} has no yes or no where they belong")
    for block in (window.down_block, window.up_block):
        if block is not None and (type(block) is not int or block < 0):
            raise TypeError(f"{block} is no block's number")
    for moment in (window.opened_at_s, window.requested_at_s):
        if moment is not None and not (0 <= float(moment) < math.inf):
            raise ValueError(f"{moment} is no moment")
    return window
