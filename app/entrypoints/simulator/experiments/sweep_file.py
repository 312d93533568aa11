"""The file of a sweep: a header, then a line of JSON for every finished run.

Lines are appended and flushed as runs finish, so that a sweep that ends early leaves its finished runs. The next
sweep notices a line that this end tore, cuts it off, and does its run again.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import msgspec
from msgspec import Struct

from app.entrypoints.simulator.experiments.result import Result
from app.entrypoints.simulator.plan.bad_input import BadInput

FORMAT = 1
BEGINNING = b'{"powerd_sweep":'


class Header(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="powerd_sweep", tag=FORMAT):
    """What the runs of this file have in common."""

    world: str
    """Digest of the plans at every point of the grid: seeds apart, the same runs."""
    code: str
    """Digest of the program's source: figures of another one can't be compared."""
    grid: dict[str, tuple[str, ...]]
    command: str
    shard: str = ""
    """``3/8`` where the file holds a part of the sweep only."""
    seeds: tuple[int, ...] = ()
    """Of a shard: those of the whole sweep."""


class Run(Struct, frozen=True, kw_only=True):
    """A finished run."""

    values: dict[str, str]
    seed: int
    result: Result


class SweepFile:
    """Open, and this process' alone."""

    def __init__(self, path: Path, file: FileIO, runs: list[Run]) -> None:
        self._path = path
        self._file = file
        self.runs = runs
        """What was finished before."""

    def append(self, line: Run | Header) -> None:
        """In the kernel's hands when this returns: it survives this process."""
        text = msgspec.json.encode(line) + b"\n"
        try:
            while text:
                text = text[self._file.write(text) :]
        except OSError as error:
            raise BadInput.at(
                self._path, 0, f"can't be written: {error.strerror}; make room and start again, what it holds is kept"
            ) from error


@contextmanager
def sweep_file(path: Path, header: Header, say: Callable[[str], None]) -> Iterator[SweepFile]:
    """Raises `BadInput` if the file is of another sweep, or no sweep's; ``say`` gets a message about a torn line."""
    try:
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise BadInput.at(path, 0, f"can't be opened: {error.strerror}; give another --out") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadInput.at(path, 0, "another sweep is writing it; wait for its end, or give another --out") from None
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise BadInput.at(
                path, 0, "is not a regular file, so that a later sweep could not go on with it; give another --out"
            )
        whole = _cut(path, file, say)
        runs = list(_read(path, whole, header, say)) if whole else []
        opened = SweepFile(path, file, runs)
        if not whole:
            opened.append(header)
        yield opened


def _cut(path: Path, file: FileIO, say: Callable[[str], None]) -> list[bytes]:
    """The complete lines; the rest after the last of them is cut off."""
    file.seek(0)
    content = file.read()
    end = content.rfind(b"\n") + 1
    lines = content[:end].splitlines()
    if end < len(content):
        if not lines and not content.startswith(BEGINNING[: len(content)]):
            raise _no_sweep(path, content)
        say(f"{path}:{len(lines) + 1}: the last line is torn, and is cut off; its run is done again")
        os.ftruncate(file.fileno(), end)
    return lines


def _read(path: Path, lines: list[bytes], header: Header, say: Callable[[str], None]) -> Iterator[Run]:
    try:
        found = msgspec.json.decode(lines[0], type=Header)
    except msgspec.MsgspecError:
        raise _no_sweep(path, lines[0]) from None
    if (found.world, list(found.grid.items())) != (header.world, list(header.grid.items())):
        raise BadInput.at(
            path, 1, f"is the file of another sweep: {found.command}; give another --out, or the same options"
        )
    if (found.shard, found.seeds) != (header.shard, header.seeds):
        is_now = f"shard {found.shard}" if found.shard else "a whole sweep"
        seeds = " of other seeds" if found.shard == header.shard else ""
        raise BadInput.at(
            path,
            1,
            f"holds {is_now}{seeds}; give another --out, or the same --shard and --seeds",
        )
    if found.code != header.code:
        raise BadInput.at(path, 1, "was written by another version of powerd, whose figures differ; give another --out")
    for number, line in enumerate(lines[1:], 2):
        try:
            yield msgspec.json.decode(line, type=Run)
        except msgspec.MsgspecError as error:
            say(f"{path}:{number}: is not a run ({error}); its run is done again")


def is_of_a_sweep(line: bytes) -> bool:
    """Whether a first line was written as a header, perhaps by another version of powerd."""
    return line.startswith(BEGINNING)


def _no_sweep(path: Path, first: bytes) -> BadInput:
    if is_of_a_sweep(first):
        return BadInput.at(path, 1, "has a header of another version of powerd, and is not changed; give another --out")
    return BadInput.at(path, 1, "is not the file of a sweep, and is not changed; give another --out")
