"""A small JSON file that a power cut does not damage. It is used in a thread, since a failing disk may hang."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from app.adapters.files.json_file import write_json
from app.adapters.linux.daemon_thread import DaemonThread
from app.domain.errors import PowerdError

Result = TypeVar("Result")


class KeptFile:
    """One file. ``unusable`` is the class of the errors, and ``what`` names the content in messages.

    The file must be on a disk. A file in memory is gone after a boot (on Zero-OS everything but /var/cache).
    """

    def __init__(
        self, path: Path, unusable: type[PowerdError], what: str, log: logging.Logger, *, timeout_s: float
    ) -> None:
        self._path = path
        self._unusable = unusable
        self._what = what
        self._log = log
        self._timeout_s = timeout_s
        self._thread = DaemonThread(f"powerd-{path.stem}"[:15], timeout_s)

    async def load(self, parse: Callable[[Any], Result]) -> Result | None:
        """The content as ``parse`` returns it, or None. A damaged file is logged, and counts as none."""
        return await self._in_thread(lambda: self._load(parse))

    async def save(self, content: Mapping[str, object], *, durably: bool = True) -> None:
        await self._in_thread(lambda: write_json(self._path, content, durably=durably))

    async def clear(self) -> None:
        await self._in_thread(lambda: self._path.unlink(missing_ok=True))

    async def _in_thread(self, question: Callable[[], Result]) -> Result:
        remedy = "fix its disk, or name another file (boot_memory.file)"
        try:
            return await self._thread.run(question)
        except TimeoutError:
            reason = f"{self._path} did not answer within {self._timeout_s:g} s; {remedy}"
            raise self._unusable(reason) from None
        except OSError as error:
            raise self._unusable(f"{self._path}: {error.strerror}; {remedy}") from error

    def _load(self, parse: Callable[[Any], Result]) -> Result | None:
        try:
            return parse(json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            self._log.warning("%s %s is damaged (%r), and counts as none", self._what, self._path, error)
            return None
