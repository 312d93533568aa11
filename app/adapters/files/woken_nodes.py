"""Keeps which other nodes this one was seen to wake, and when last (``powerd check --wake``)."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.adapters.files.kept_file import KeptFile
from app.domain.errors import WakeMemoryUnusable
from app.domain.model import NodeId

log = logging.getLogger("powerd.wakes")


class WokenNodes:
    """One `KeptFile`. Every method raises `WakeMemoryUnusable` with the reason."""

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        self._file = KeptFile(path, WakeMemoryUnusable, "the record of woken nodes", log, timeout_s=timeout_s)

    async def load(self) -> Mapping[NodeId, float]:
        """Unix seconds by node; a damaged file is logged, and counts as none."""
        return await self._file.load(_times) or {}

    async def remember(self, node: NodeId, at_s: float) -> None:
        known = {**await self.load(), node: at_s}
        await self._file.save({str(each): time_s for each, time_s in sorted(known.items())})


def _times(saved: Any) -> Mapping[NodeId, float]:
    times = {NodeId(int(node)): float(at_s) for node, at_s in dict(saved).items()}
    if not all(math.isfinite(at_s) for at_s in times.values()):
        raise ValueError(f"{saved} holds what is no time")
    return times
