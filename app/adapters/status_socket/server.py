"""Answers on a Unix socket: each connection gets the status as one line of JSON, and is closed.

No request is read, so that any program can ask: ``socat - UNIX:/run/powerd/status.sock``.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from app.adapters.libraries.timeouts import timeout
from app.domain.errors import StatusNotServed
from app.domain.status import NodeStatus

MODE = 0o660
"""For the daemon's user and its group: other users of this host need not know what holds the node."""
ANSWER_S = 5.0
"""After this time powerd closes the connection of a caller that does not read."""
CALLERS_MAX = 16

log = logging.getLogger(__name__)


class StatusSocket:
    """`StatusServer` at the first of these paths that can be used."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._server: asyncio.Server | None = None
        self._path: Path | None = None
        self._inode = 0
        self._callers: set[asyncio.Task[None]] = set()

    async def open(self, answer: Callable[[], NodeStatus]) -> None:
        await self.close()
        problems = []
        for path in self._paths:
            try:
                listener, inode = _listener(path)
            except OSError as error:
                problems.append(f"{path}: {error.strerror or error}")
                continue
            self._path, self._inode = path, inode
            self._server = await asyncio.start_unix_server(
                lambda _, writer: self._call(writer, answer), sock=listener, backlog=CALLERS_MAX
            )
            return
        raise StatusNotServed("; ".join(problems))

    def reachable(self) -> bool:
        try:
            return self._path is not None and self._path.stat().st_ino == self._inode
        except OSError:
            return False

    async def close(self) -> None:
        server, path = self._server, self._path
        if server is None or path is None:
            return
        if self.reachable():
            with suppress(OSError):
                path.unlink()
        self._server = self._path = None
        server.close()
        for caller in list(self._callers):
            caller.cancel()

    async def _call(self, writer: asyncio.StreamWriter, answer: Callable[[], NodeStatus]) -> None:
        task = asyncio.current_task()
        if task is None or len(self._callers) >= CALLERS_MAX:
            writer.close()
            return
        self._callers.add(task)
        try:
            async with timeout(ANSWER_S):
                writer.write(_line(answer()))
                await writer.drain()
        except (OSError, TimeoutError):
            log.debug("a caller of the status went away, or did not read")
            writer.transport.abort()
        finally:
            self._callers.discard(task)
            writer.close()


def _line(status: NodeStatus) -> bytes:
    try:
        return msgspec.json.encode(status) + b"\n"
    except UnicodeEncodeError:  # a text from outside holds half of a character, such as JSON's "\ud800"
        return msgspec.json.encode(_whole(msgspec.to_builtins(status))) + b"\n"


def _whole(value: Any) -> Any:
    """The same, with a question mark in the place of each half of a character."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list | tuple) else value


def _listener(path: Path) -> tuple[socket.socket, int]:
    """A socket at the path, also in place of one that a killed process left, and its inode.

    An `OSError` says why not.
    """
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    _free(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        listener.bind(str(path))
        path.chmod(MODE)
        return listener, path.stat().st_ino
    except OSError:
        listener.close()
        raise


def _free(path: Path) -> None:
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(17, "it is there, and is no socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as caller:
            try:
                caller.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
            else:
                raise FileExistsError(17, "another powerd answers there")
