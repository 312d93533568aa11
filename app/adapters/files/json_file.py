"""Writes a JSON file so that a power cut leaves the old content or the new one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path


def write_json(path: Path, content: Mapping[str, object], *, durably: bool = True) -> None:
    """Write a new file, sync it, rename it to ``path`` and sync the directory, which is made if missing.

    Without ``durably`` nothing is synced: the content outlives this process, and perhaps no power cut.
    """
    beside = path.with_name(path.name + ".new")
    path.parent.mkdir(parents=True, exist_ok=True)
    with beside.open("w") as file:
        json.dump(content, file)
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
