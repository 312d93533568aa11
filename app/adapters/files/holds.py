"""Holds as files: one per holder, in a directory that is gone after a reboot."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.adapters.files.hold_terms import expires_at_s, terms_of_duration
from app.domain.errors import HoldsUnreadable, PermanentError
from app.domain.model import Hold
from app.ports.clock import Clock
from app.ports.host_facts import HostFacts

SUFFIX = ".json"

READABLE, SEARCHABLE = 0o644, 0o755

_HOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,99}")


class BadHolder(PermanentError):
    """A holder's name that can't be a file's."""


class HoldNotKept(PermanentError):
    """The directory did not take the hold, or did not let go of it."""


class FileHolds:
    """`Holds`: ``HOLDER.json`` with ``reason`` and the end (`app.adapters.files.hold_terms`).

    An expired hold stays until it is lifted or replaced: a clean-up could remove the one
    that its holder puts in its place at that moment.
    """

    def __init__(self, directory: Path, clock: Clock, facts: HostFacts) -> None:
        self._directory = directory
        self._clock = clock
        self._facts = facts

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
                hold = self._read(self._directory / name)
            except HoldsUnreadable as error:
                unreadable.append(str(error))
            else:
                holds += [hold] if hold is not None else []
        return holds, unreadable

    def place(self, hold: Hold, lasts_s: float | None = None) -> None:
        """Write the holder's hold, over an earlier one; `BadHolder`, or `HoldNotKept`.

        With ``lasts_s`` it lasts so long, whatever the clock says; its date is what an older powerd reads.
        """
        path = self._path(hold.holder)
        beside = path.with_name(f"{path.name}.{os.getpid()}.new")  # two may write at once
        terms = {} if lasts_s is None else terms_of_duration(lasts_s, self._facts)
        try:
            self._make_directory()
            beside.write_text(json.dumps({"reason": hold.reason, "expires_at_s": hold.expires_at_s, **terms}))
            beside.chmod(READABLE)
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

    def _make_directory(self) -> None:
        """The daemon may be another user than the one that places holds, under whatever umask."""
        if self._directory.is_dir():
            return
        missing = [each for each in self._directory.parents if not each.exists()]
        for each in (*reversed(missing), self._directory):
            each.mkdir(exist_ok=True)
            each.chmod(SEARCHABLE)

    def _read(self, path: Path) -> Hold | None:
        """None if it was lifted just now."""
        try:
            if path.is_fifo():
                raise ValueError("it is a pipe")  # every reader would wait for it
            saved: Any = json.loads(path.read_text())
            saved.keys()  # anything but an object has none
            return Hold(path.stem, str(saved["reason"]), expires_at_s(saved, self._clock.now(), self._facts))
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not path.is_symlink():
                return None
            raise HoldsUnreadable(_unreadable(path, error)) from error
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise HoldsUnreadable(f"{path} is no hold ({error!r}); mend or remove it") from error


def _unreadable(path: Path, error: OSError) -> str:
    remedy = "run this as root" if isinstance(error, PermissionError) else "mend or remove it"
    return f"{path}: {error.strerror}; {remedy}"


def _not_kept(error: OSError, what: str) -> HoldNotKept:
    remedy = "run this as root, or name" if isinstance(error, PermissionError) else "name"
    return HoldNotKept(f"{what}: {error.filename}: {error.strerror}; {remedy} another directory (holds.dir)")
