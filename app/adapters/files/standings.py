"""The standing of a farm's nodes when their period was last read, in a small file beside the events."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from app.adapters.files.json_file import read_json, write_json
from app.domain.minting.standing import Known
from app.domain.model import NodeId

log = logging.getLogger("powerd.minting")


def save_standings(path: Path, standings: Mapping[NodeId, Known]) -> None:
    """Store them in place of the former ones. A failure is only logged, since the file only saves a read."""
    try:
        write_json(path, standings)
    except OSError as error:
        log.info("the nodes' standing can't be kept in %s: %s", path, error.strerror)


def load_standings(path: Path) -> Mapping[NodeId, Known]:
    """The stored standings; empty when there is no such file, or it cannot be read."""
    try:
        return read_json(path, dict[NodeId, Known])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        remedy = "`powerd farm minting` computes it again"
        log.warning("the nodes' standing can't be read from %s: %s; %s", path, error, remedy)
        return {}
