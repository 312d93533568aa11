"""Holds as files: one per holder, in a directory that is gone after a reboot."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.domain.errors import HoldsUnreadable, PermanentError
from app.domain.model import Hold
from app.ports.clock import Clock

SUFFIX = ".json"

_HOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,99}")


class BadHolder(PermanentError):
    """A holder's name that can't be a file's."""


class HoldNotKept(PermanentError):
    """The directory did not take the hold, or did not let go of it."""


class FileHolds:
    """`Holds`: ``HOLDER.json`` with ``reason`` and ``expires_at_s`` (Unix seconds, or null).

    An expired hold stays until it is lifted or replaced: whoever removed it could remove the one
    that its holder puts in its place at that moment.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock

    async def active(self) -> Sequence[Hold]:
        """Those not expired; no directory means no holds, an unreadable file means doubt."""
        holds, unreadable = self.all()
        if unreadable:
            raise HoldsUnreadable(unreadable[0])
        now_s = self._clock.now()
        return [hold for hold in holds if hold.expires_at_s is None or hold.expires_at_s > now_s]

    def all(self) -> tuple[Sequence[Hold], Sequence[str]]:
        """The expired ones too, by name; beside them what can't be read and how to mend it."""
        try:
            names = sorted(entry.name for entry in os.scandir(self._directory) if entry.name.endswith(SUFFIX))
        except FileNotFoundError:
            return [], []
        except OSError as error:
            return [], [_unreadable(self._directory, error)]
        holds, unreadable = [], []
        for name in names:
            try:
                hold = _read(self._directory / name)
            except HoldsUnreadable as error:
                unreadable.append(str(error))
            else:
                holds += [hold] if hold is not None else []
        return holds, unreadable

    def place(self, hold: Hold) -> None:
        """Write the holder's hold, over an earlier one; `BadHolder`, or `HoldNotKept`."""
        path = self._path(hold.holder)
        beside = path.with_name(f"{path.name}.{os.getpid()}.new")  # two may write at once
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps({"reason": hold.reason, "expires_at_s": hold.expires_at_s}))
            beside.replace(path)
        except OSError as error:
            raise _not_kept(error, f"the hold of {hold.holder} is not placed") from error

    def lift(self, holder: str) -> bool:
        """Remove the holder's hold; whether there was one."""
        try:
            self._path(holder).unlink()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise _not_kept(error, f"the hold of {holder} is not lifted") from error
        return True

    def _path(self, holder: str) -> Path:
        if not _HOLDER.fullmatch(holder):
            raise BadHolder(f"{holder!r} can't name a hold; use letters, digits, '-' and '_' (100 at most)")
        return self._directory / f"{holder}{SUFFIX}"


def _read(path: Path) -> Hold | None:
    """None if it was lifted just now."""
    try:
        if path.is_fifo():
            raise ValueError("it is a pipe")  # which everybody would wait for
        saved: Any = json.loads(path.read_text())
        expires_at_s = saved.get("expires_at_s")
        if expires_at_s is not None:
            expires_at_s = _time(expires_at_s)
        return Hold(path.stem, str(saved["reason"]), expires_at_s)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not path.is_symlink():
            return None
        raise HoldsUnreadable(_unreadable(path, error)) from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise HoldsUnreadable(f"{path} is no hold ({error!r}); mend or remove it") from error


def _time(seconds: object) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
        raise ValueError(f"expires_at_s is {seconds!r}, which is no time")
    return float(seconds)


def _unreadable(path: Path, error: OSError) -> str:
    remedy = "run this as root" if isinstance(error, PermissionError) else "mend or remove it"
    return f"{path}: {error.strerror}; {remedy}"


def _not_kept(error: OSError, what: str) -> HoldNotKept:
    remedy = "run this as root, or name" if isinstance(error, PermissionError) else "name"
    return HoldNotKept(f"{what}: {error.filename}: {error.strerror}; {remedy} another directory (holds.dir)")
