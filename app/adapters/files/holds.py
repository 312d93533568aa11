"""Holds as files, one for each holder, in a directory that a reboot empties."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.adapters.files.hold_terms import expires_at_s, terms_of_duration
from app.adapters.processes.exhausted import remedy_of
from app.domain.errors import HoldsUnreadable, PermanentError
from app.domain.model import Hold
from app.ports.clock import Clock
from app.ports.holds import Holds
from app.ports.host_facts import HostFacts

SUFFIX = ".json"

READABLE, SEARCHABLE = 0o644, 0o755
SIZE_MAX = 1 << 20

_HOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,99}")


class BadHolder(PermanentError):
    """A holder's name that cannot be a file's name."""

    exit_code = 2


class HoldNotKept(PermanentError):
    """The hold could not be written or removed."""


class FileHolds:
    """`Holds`: ``HOLDER.json`` with ``reason`` and the end (`app.adapters.files.hold_terms`).

    The file of an expired hold stays until it is lifted or replaced. A clean-up could remove a new hold
    that its holder writes at that moment.
    """

    def __init__(self, directory: Path, clock: Clock, facts: HostFacts) -> None:
        self._directory = directory
        self._clock = clock
        self._facts = facts

    async def active(self) -> Sequence[Hold]:
        """The holds that have not expired. A missing directory means no holds, an unreadable file means doubt."""
        holds, unreadable = self.all()
        if unreadable:
            raise HoldsUnreadable(unreadable[0])
        return self._in_force(holds)

    def shown(self) -> Sequence[Hold]:
        return self._in_force(self.all()[0])

    def _in_force(self, holds: Sequence[Hold]) -> Sequence[Hold]:
        now_s = self._clock.now()
        return [hold for hold in holds if hold.expires_at_s is None or hold.expires_at_s > now_s]

    def all(self) -> tuple[Sequence[Hold], Sequence[str]]:
        """All holds by name, expired ones too; and for each that cannot be read the reason with a remedy."""
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
        """Write the hold, in place of an earlier one of the holder. Raises `BadHolder` or `HoldNotKept`.

        With ``lasts_s`` it ends after that time, however the clock is set. An older powerd reads its date.
        """
        path = self._path(hold.holder)
        beside = path.with_name(f"{path.name}.{os.getpid()}.new")  # two processes may write at the same time
        terms = {} if lasts_s is None else terms_of_duration(lasts_s, self._facts)
        try:
            self._make_directory()
            beside.write_text(json.dumps({"reason": hold.reason, "expires_at_s": hold.expires_at_s, **terms}))
            beside.chmod(READABLE)
            beside.replace(path)
        except OSError as error:
            raise _not_kept(error, f"the hold of {hold.holder} is not placed") from error

    def lift(self, holder: str) -> bool:
        """Remove the holder's hold. Returns whether there was one; raises `HoldNotKept`."""
        path = self._file_of(holder)
        try:
            path.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except IsADirectoryError as error:
            raise HoldNotKept(f"{path} is a directory and no hold; remove it yourself (rm -r)") from error
        except OSError as error:
            raise _not_kept(error, f"the hold of {holder} is not lifted") from error
        return True

    def _path(self, holder: str) -> Path:
        if not _HOLDER.fullmatch(holder):
            raise BadHolder(f"{holder!r} can't name a hold; use letters, digits, '-' and '_' (100 at most)")
        return self._directory / f"{holder}{SUFFIX}"

    def _file_of(self, holder: str) -> Path:
        """The file of an existing hold with any name, since another program may have written it."""
        plain = holder and "/" not in holder and "\0" not in holder
        path = self._directory / f"{holder}{SUFFIX}"
        return path if plain and os.path.lexists(path) else self._path(holder)

    def _make_directory(self) -> None:
        """Make it readable for the daemon's user too, whatever the umask of the user who places holds."""
        if self._directory.is_dir():
            return
        missing = [each for each in self._directory.parents if not each.exists()]
        for each in (*reversed(missing), self._directory):
            each.mkdir(exist_ok=True)
            each.chmod(SEARCHABLE)

    def _read(self, path: Path) -> Hold | None:
        """The hold; None if it was lifted meanwhile."""
        holder = path.name.removesuffix(SUFFIX)
        try:
            if not holder:
                raise ValueError("its name has no holder")
            saved = _object(_content(path))
            return Hold(holder, _reason(saved), expires_at_s(saved, self._clock.now(), self._facts))
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not path.is_symlink():
                return None
            raise HoldsUnreadable(_unreadable(path, error)) from error
        except ValueError as error:
            lift = f" (powerd hold lift {spelled(holder)})" if holder else ""
            raise HoldsUnreadable(f"{path} is no hold ({error}); fix or remove it{lift}") from error


def is_holder(name: str) -> bool:
    return _HOLDER.fullmatch(name) is not None


def spelled(holder: str) -> str:
    """The holder's name, quoted for a command line."""
    word = shlex.quote(holder)
    return f"-- {word}" if holder.startswith("-") else word


def _content(path: Path) -> bytes:
    """What other programs put there may have no end (a link to a device), or make every reader wait (a pipe)."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise ValueError("it is no regular file")
    with path.open("rb") as file:
        content = file.read(SIZE_MAX + 1)
    if len(content) > SIZE_MAX:
        raise ValueError(f"it has more than {SIZE_MAX} bytes")
    return content


def _object(content: bytes) -> Mapping[str, object]:
    """The JSON object. Raises ``ValueError`` with a text for operators."""
    try:
        saved = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 text at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except ValueError as error:
        raise ValueError("it holds a number of thousands of digits") from error
    if not isinstance(saved, dict):
        raise ValueError('it is no JSON object such as {"reason": "a new disk"}')
    return saved


def _reason(saved: Mapping[str, object]) -> str:
    if "reason" not in saved:
        raise ValueError("it has no reason")
    reason = saved["reason"]
    return reason if isinstance(reason, str) else json.dumps(reason)


def _unreadable(path: Path, error: OSError) -> str:
    remedy = "run this as root" if isinstance(error, PermissionError) else "fix or remove it"
    return f"{path}: {error.strerror}; {remedy_of(error, remedy)}"


def _not_kept(error: OSError, what: str) -> HoldNotKept:
    rights = "run this as root, or " if isinstance(error, PermissionError) else ""
    remedy = remedy_of(error, f"{rights}name another directory (holds.dir)")
    return HoldNotKept(f"{what}: {error.filename}: {error.strerror}; {remedy}")


class AllHolds:
    """`Holds` of all ``sources``, in their order. If one cannot be read, `active` raises `HoldsUnreadable`."""

    def __init__(self, sources: Sequence[Holds]) -> None:
        self._sources = tuple(sources)

    async def active(self) -> Sequence[Hold]:
        return [hold for source in self._sources for hold in await source.active()]

    def shown(self) -> Sequence[Hold]:
        return [hold for source in self._sources for hold in source.shown()]
