"""A small file with one record. It is used in a thread, since a failing disk may hang."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import astuple, is_dataclass
from pathlib import Path
from typing import Generic, TypeVar

from app.adapters.files.json_file import read_json, write_json
from app.adapters.processes.daemon_thread import DaemonThread
from app.adapters.processes.exhausted import remedy_of
from app.domain.errors import MemoryUnusable

Record = TypeVar("Record")
Result = TypeVar("Result")

log = logging.getLogger("powerd.memory")


class FileMemory(Generic[Record]):
    """`Memory` of one ``kind`` of record; ``what`` is its name in messages, ``setting`` names the file.

    The file must be on a disk. A file in memory is gone after a boot (on Zero-OS everything but /var/cache).
    """

    def __init__(
        self, path: Path, kind: type[Record], what: str, setting: str = "boot_memory.file", *, timeout_s: float = 5.0
    ) -> None:
        self._path = path
        self._kind = kind
        self._what = what
        self._remedy = f"fix its disk, or name another file ({setting})"
        self._timeout_s = timeout_s
        self._thread = DaemonThread(f"powerd-{path.stem}"[:15], timeout_s)

    async def load(self) -> Record | None:
        return await self._in_thread(self._load)

    async def save(self, record: Record, *, durably: bool = True) -> None:
        await self._in_thread(lambda: write_json(self._path, record, durably=durably))

    async def clear(self) -> None:
        await self._in_thread(lambda: self._path.unlink(missing_ok=True))

    async def _in_thread(self, question: Callable[[], Result]) -> Result:
        try:
            return await self._thread.run(question)
        except TimeoutError:
            reason = f"{self._path} did not answer within {self._timeout_s:g} s; {self._remedy}"
            raise MemoryUnusable(reason) from None
        except OSError as error:
            raise MemoryUnusable(f"{self._path}: {error.strerror}; {remedy_of(error, self._remedy)}") from error

    def _load(self) -> Record | None:
        try:
            record = read_json(self._path, self._kind)
            _refuse_negative(record)
        except FileNotFoundError:
            return None
        except ValueError as error:
            log.warning("%s %s is damaged (%s), and counts as none", self._what, self._path, error)
            return None
        return record


def _refuse_negative(content: object) -> None:
    """No number of a record can be below 0: they are times, blocks and counts."""
    if isinstance(content, int | float) and content < 0:
        raise ValueError(f"{content} is below 0")
    if is_dataclass(content) and not isinstance(content, type):
        content = astuple(content)
    if isinstance(content, tuple | list):
        for each in content:
            _refuse_negative(each)
