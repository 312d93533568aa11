"""Small JSON files of records: written so that a power cut leaves the old content or the new one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

import msgspec

Record = TypeVar("Record")


def read_json(path: Path, kind: type[Record]) -> Record:
    """The content. Raises `OSError`, or `ValueError` for what is no record of this kind."""
    content = path.read_bytes()
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def write_json(path: Path, content: object, *, durably: bool = True) -> None:
    """Write a new file, sync it, rename it to ``path`` and sync the directory, which is made if missing.

    Without ``durably`` nothing is synced: the content outlives this process, and perhaps no power cut.
    """
    beside = path.with_name(path.name + ".new")
    path.parent.mkdir(parents=True, exist_ok=True)
    with beside.open("wb") as file:
        file.write(msgspec.json.encode(content))
        file.flush()
        if durably:
            os.fsync(file.fileno())
    beside.replace(path)
    if not durably:
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
