"""Keeps the follower's place in a file that a power cut can't tear."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from app.adapters.files.durable_json import write_durably
from app.domain.errors import RetryableError
from app.ports.chain_blocks import BlockRef

log = logging.getLogger("powerd.cursor")


class CursorNotSaved(RetryableError):
    """The file can't be written."""


class FileBlockCursor:
    """`BlockCursor`: written beside, synced, and moved into place."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> BlockRef | None:
        """The saved place; a damaged file is reported, and counts as none."""
        try:
            saved = json.loads(self._path.read_bytes())
            return BlockRef(int(saved["number"]), str(saved["hash"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("the cursor %s is damaged (%s); following starts at the newest block", self._path, error)
            return None

    def save(self, ref: BlockRef) -> None:
        """Keep it durably; `CursorNotSaved` names the file and what is wrong."""
        try:
            write_durably(self._path, {"number": ref.number, "hash": ref.hash})
        except OSError as error:
            raise CursorNotSaved(f"the cursor {self._path} can't be written: {error.strerror}") from error
