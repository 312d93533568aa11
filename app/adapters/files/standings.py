"""How a farm's nodes stood when their period was last read, kept in a small file beside what was read."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec

from app.adapters.files.durable_json import write_durably
from app.domain.minting.standing import Known
from app.domain.model import NodeId

log = logging.getLogger("powerd.minting")


def save_standings(path: Path, standings: Mapping[NodeId, Known]) -> None:
    """Replaces the former ones. A failure to write is logged only: the file saves a reading, and no more."""
    try:
        write_durably(path, {str(node): msgspec.to_builtins(known) for node, known in standings.items()})
    except OSError as error:
        log.info("how the nodes stand can't be kept in %s: %s", path, error.strerror)


def load_standings(path: Path) -> Mapping[NodeId, Known]:
    """Empty when there is no such file, or it can't be read."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[int, Known])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        log.warning("how the nodes stood can't be read from %s: %s", path, error)
        return {}
    return {NodeId(node): known for node, known in found.items()}
