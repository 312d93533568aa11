"""Writes a JSON file so that a power cut leaves the old content or the new one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path


def write_durably(path: Path, content: Mapping[str, object]) -> None:
    """Write a new file, sync it, rename it to ``path`` and sync the directory, which is made if missing."""
    beside = path.with_name(path.name + ".new")
    path.parent.mkdir(parents=True, exist_ok=True)
    with beside.open("w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
