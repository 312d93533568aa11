"""Stores the open down window in a file that a power cut does not damage."""

from __future__ import annotations

import logging
from pathlib import Path

from app.adapters.files.kept_file import KeptFile
from app.domain.errors import WindowMemoryUnusable
from app.domain.rules.paid import DownWindow

log = logging.getLogger("powerd.paid")


class FileWindowMemory(KeptFile[DownWindow]):
    """`WindowMemory`. If the file is damaged, powerd reads what the chain knows of the window."""

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        super().__init__(
            path, DownWindow, WindowMemoryUnusable, "the record of the last Down", log, timeout_s=timeout_s
        )

    async def save(self, window: DownWindow, *, durably: bool = True) -> None:
        """As `KeptFile.save`. An intent (a window that is not ``sure``) is for the next process of this boot.

        After a power cut the chain shows the Down, so that Down need not wait for the disk.
        """
        await super().save(window, durably=durably and window.sure)
