"""Faults for operators who read the log: a line when one begins, changes or ends."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from app.domain.model import Fault


class LogFaults:
    """`Faults` that writes to ``logger`` what changed since it was last told, and nothing else."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._shown: dict[str, str] = {}

    async def show(self, faults: Sequence[Fault]) -> None:
        """Compare with what was shown before, and log the difference."""
        current = {fault.key: fault.message for fault in faults}
        for key, message in current.items():
            if self._shown.get(key) != message:
                self._logger.error("fault %s: %s", key, message)
        for key in self._shown:
            if key not in current:
                self._logger.info("fault %s is over", key)
        self._shown = current
