"""The events of a farm's period that were read, in a file, so that they are read from the chain only once.

The file has lines of events, and after each batch a mark with the last block of that batch. Lines after
the last mark belong to a batch whose writing was interrupted. They are removed, and so is everything from
the first line that cannot be read; those blocks are read from the chain again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from app.adapters.codecs import minting_events, minting_marks
from app.domain.errors import RetryableError
from app.domain.minting.events import Event, TimedBlock


class RecordNotKept(RetryableError):
    """The file cannot be written."""


class FileMintingRecord:
    """The file of one farm and period: read `mark` and `events` first, then `add`, and `close` at the end.

    ``not_kept`` says why nothing can be written; it is empty while it can. One program at a time can write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mark: TimedBlock | None = None
        self.not_kept = ""
        self._length = 0
        self._file = self._open()
        if self._file is not None:
            self._find_mark(self._file)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def events(self) -> Iterator[Event]:
        """The events up to `mark`, in the order in which they were added."""
        if self._file is None:
            return
        self._file.seek(0)
        read = 0
        while read < self._length:
            line = self._file.readline()
            read += len(line)
            if not line.startswith(minting_marks.SIGN):
                yield minting_events.decode(line)

    def begin_again(self) -> None:
        self.mark, self._length = None, 0

    def add(self, events: Iterable[Event], mark: TimedBlock) -> None:
        """Append these events, which go up to the block ``mark``.

        The first failure raises `RecordNotKept`. After it, calls write nothing.
        """
        self.mark = mark
        if self.not_kept or self._file is None:
            return
        lines = [*(minting_events.encode(event) for event in events), minting_marks.encode(mark), b""]
        data = b"\n".join(lines)
        try:
            self._file.truncate(self._length)
            self._file.seek(self._length)
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            self.not_kept = f"what is read can't be kept in {self.path}: {error.strerror}"
            raise RecordNotKept(self.not_kept) from error
        self._length += len(data)

    def _open(self) -> BinaryIO | None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            self.not_kept = f"what is read can't be kept in {self.path}: {error.strerror}"
            return self._open_to_read()
        file = os.fdopen(descriptor, "r+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.not_kept = f"what is read is not kept: another `powerd farm minting` writes {self.path}"
        return file

    def _open_to_read(self) -> BinaryIO | None:
        try:
            return self.path.open("rb")
        except OSError:
            return None

    def _find_mark(self, file: BinaryIO) -> None:
        read = 0
        try:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                read += len(line)
                if line.startswith(minting_marks.SIGN):
                    self.mark, self._length = minting_marks.decode(line), read
                else:
                    minting_events.decode(line)
        except ValueError:
            pass  # everything after the last mark is read from the chain again
        except OSError as error:
            self.not_kept = f"what was kept in {self.path} can't be read: {error.strerror}"
            self.begin_again()
