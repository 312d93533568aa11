"""Stores the follower's place in the chain in a file that a power cut does not damage."""

from __future__ import annotations

import logging
from pathlib import Path

from app.adapters.files.json_file import read_json, write_json
from app.adapters.linux.daemon_thread import DaemonThread
from app.domain.errors import CursorNotSaved
from app.ports.chain_blocks import BlockRef

log = logging.getLogger("powerd.cursor")


class FileBlockCursor:
    """`BlockCursor` in a file. It is read and written in a thread, since a failing disk may hang."""

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._thread = DaemonThread("powerd-cursor", timeout_s)

    async def load(self) -> BlockRef | None:
        """The saved place. One that cannot be read is logged, and counts as none."""
        try:
            return await self._thread.run(lambda: read_json(self._path, BlockRef))
        except FileNotFoundError:
            return None
        except TimeoutError:
            problem = f"did not answer within {self._timeout_s:g} s"
        except OSError as error:
            problem = f"can't be read ({error.strerror})"
        except ValueError as error:
            problem = f"is damaged ({error})"
        log.warning("the cursor %s %s; following starts at the newest block", self._path, problem)
        return None

    async def save(self, ref: BlockRef) -> None:
        """Store the place durably. `CursorNotSaved` names the file and the reason."""
        try:
            await self._thread.run(lambda: write_json(self._path, ref))
        except TimeoutError:
            raise CursorNotSaved(f"the cursor {self._path} was not written within {self._timeout_s:g} s") from None
        except OSError as error:
            raise CursorNotSaved(f"the cursor {self._path} can't be written: {error.strerror}") from error
