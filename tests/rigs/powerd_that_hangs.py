"""``powerd`` that hangs on request: ``python -m … FILE powerd's arguments``.

While FILE says so, the read of the holds, a part of every look at the own node, never ends: ``loop`` waits
for ever as a task does, ``process`` blocks the whole event loop.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from app.adapters.files.holds import FileHolds
from app.domain.model import Hold
from app.entrypoints.powerd.cli import main

LONG_S = 3600.0

if __name__ == "__main__":
    file = Path(sys.argv.pop(1))
    healthy = FileHolds.active

    def wanted() -> str:
        return file.read_text() if file.exists() else ""

    async def active(self: FileHolds) -> Sequence[Hold]:
        """Holds whose read hangs as the file says."""
        match wanted():
            case "loop":
                await asyncio.Event().wait()
            case "process":
                time.sleep(LONG_S)  # noqa: ASYNC251  # this is what it is for
        return await healthy(self)

    mock.patch.object(FileHolds, "active", active).start()
    main()
