"""The block of the farmer's last target, kept for some minutes so that the next read is not of an older one."""

from __future__ import annotations

import logging
from pathlib import Path

from app.adapters.files.json_file import read_json, write_json
from app.domain.model import Head
from app.domain.values import value

COUNTS_S = 300.0

log = logging.getLogger("powerd.farm")


@value
class LastWrite:
    """The block, and when powerd saw the inclusion (Unix seconds)."""

    block: int
    at_s: float

    def is_missed_by(self, head: Head, now_s: float) -> bool:
        """Whether the head is older than this write. A chain that was recreated since does not count."""
        counts = 0 <= now_s - self.at_s < COUNTS_S
        return counts and (head.number or 0) < self.block and head.time_s < self.at_s


def save_last_write(path: Path, write: LastWrite) -> None:
    """Store it. A failure is only logged, since the chain has the target."""
    try:
        write_json(path, write)
    except OSError as error:
        log.info("the block of the last target can't be kept in %s: %s", path, error.strerror)


def load_last_write(path: Path) -> LastWrite | None:
    """The stored write; None when there is no such file, or it cannot be read."""
    try:
        return read_json(path, LastWrite)
    except (OSError, ValueError):
        return None
