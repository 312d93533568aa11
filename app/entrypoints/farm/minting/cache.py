"""The files that keep what was read of a period, and the farmer's last write."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from app.domain.minting.period import Period
from app.domain.model import FarmId


def record_path(chain_id: str, farm: FarmId, period: Period) -> Path:
    """One file for each chain, farm and period."""
    name = f"{period.start_s}-{period.end_s}" if period.number is None else f"period-{period.number}"
    return _directory(chain_id) / f"farm-{farm}-{name}.jsonl"


def standings_path(chain_id: str, farm: FarmId) -> Path:
    """The standings of the farm's nodes, as they were last judged."""
    return _directory(chain_id) / f"farm-{farm}-standings.json"


def last_write_path(urls: Sequence[str]) -> Path:
    """One file for each choice of endpoints; their addresses may hold secrets, and are not shown."""
    return _caches() / "written" / f"{hashlib.sha256(' '.join(sorted(urls)).encode()).hexdigest()[:32]}.json"


def _directory(chain_id: str) -> Path:
    return _caches() / "minting" / chain_id


def _caches() -> Path:
    """Below XDG_CACHE_HOME, else below ~/.cache."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    # The standard says that a relative path there counts as none.
    caches = Path(given) if given.startswith("/") else Path.home() / ".cache"
    return caches / "powerd"
