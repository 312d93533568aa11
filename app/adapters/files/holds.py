"""Holds as files: one per holder, in a directory that is gone after a reboot."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.domain.errors import HoldsUnreadable, PermanentError
from app.domain.model import Hold
from app.ports.clock import Clock

SUFFIX = ".json"


class BadHolder(PermanentError):
    """A holder's name that can't be a file's."""


class FileHolds:
    """`Holds`: ``HOLDER.json`` with ``reason`` and ``expires_at_s`` (Unix seconds, or null)."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock

    async def active(self) -> Sequence[Hold]:
        """Those not expired; no directory means no holds, an unreadable file means doubt."""
        try:
            paths = sorted(self._directory.glob(f"*{SUFFIX}"))
            holds = [_read(path) for path in paths]
        except OSError as error:
            raise HoldsUnreadable(
                f"{error.filename or self._directory}: {error.strerror}; mend or remove it"
            ) from error
        now_s = self._clock.now()
        return [hold for hold in holds if hold.expires_at_s is None or hold.expires_at_s > now_s]

    def place(self, hold: Hold) -> None:
        """Write the holder's hold, over an earlier one."""
        path = self._path(hold.holder)
        self._directory.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps({"reason": hold.reason, "expires_at_s": hold.expires_at_s}))
        beside.replace(path)

    def lift(self, holder: str) -> None:
        """Remove the holder's hold, if there is one."""
        self._path(holder).unlink(missing_ok=True)

    def _path(self, holder: str) -> Path:
        if not holder or "/" in holder or holder.startswith("."):
            raise BadHolder(f"{holder!r} can't name a hold; use letters, digits, '-' and '_'")
        return self._directory / f"{holder}{SUFFIX}"


def _read(path: Path) -> Hold:
    try:
        saved: Any = json.loads(path.read_text())
        expires_at_s = saved.get("expires_at_s")
        if expires_at_s is not None and not math.isfinite(float(expires_at_s)):
            raise ValueError(f"expires_at_s is {expires_at_s}, which is no time")
        return Hold(path.stem, str(saved["reason"]), None if expires_at_s is None else float(expires_at_s))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise HoldsUnreadable(f"{path} is no hold ({error!r}); mend or remove it") from error
