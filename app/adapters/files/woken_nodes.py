"""Keeps which other nodes this one was seen to wake, and when last (``powerd check --wake``)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from app.adapters.files.kept_file import KeptFile
from app.domain.errors import WakeMemoryUnusable
from app.domain.model import NodeId

log = logging.getLogger("powerd.wakes")


class WokenNodes:
    """One `KeptFile`. Every method raises `WakeMemoryUnusable` with the reason."""

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        kind = dict[NodeId, float]
        self._file = KeptFile(path, kind, WakeMemoryUnusable, "the record of woken nodes", log, timeout_s=timeout_s)

    async def load(self) -> Mapping[NodeId, float]:
        """Unix seconds by node; a damaged file is logged, and counts as none."""
        return await self._file.load() or {}

    async def remember(self, node: NodeId, at_s: float) -> None:
        known = {**await self.load(), node: at_s}
        await self._file.save(dict(sorted(known.items())))
