"""Writes a JSON file so that a power cut leaves the old one or the new one, and nothing between."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path


def write_durably(path: Path, content: Mapping[str, object]) -> None:
    """Write beside, sync, move into place, sync the directory (made if it is missing); raises ``OSError``."""
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
