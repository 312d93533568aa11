"""Runs a command of the host to its end, within a deadline, and keeps what it printed last.

The output goes to a file in memory, not to a pipe: a pipe would stay open, and be waited for, as
long as any process lives that the command started in the background.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

TAIL_BYTES = 400
KILL_TIMEOUT_S = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ended by itself: its exit code (a signal's number, negative) and last output."""

    code: int
    tail: str


async def run_command(command: Sequence[str], timeout_s: float) -> Ended:
    """Run it; a command that is late, or no longer wanted (cancellation), is killed and reaped.

    Raises `TimeoutError`, and ``OSError`` when it can't be started.
    """
    with _memory_file() as output:
        async with asyncio.timeout(timeout_s):
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,  # so that what it started can be killed with it
            )
            try:
                code = await process.wait()
            finally:
                if process.returncode is None:
                    await _kill(process)
        return Ended(code, _tail(output))


async def _kill(process: asyncio.subprocess.Process) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # it ended just now
        pass
    except PermissionError as error:  # it took on another user's rights
        _log.warning("the hung command with pid %d can't be killed: %s", process.pid, error)
    try:
        async with asyncio.timeout(KILL_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        _log.warning("the killed command with pid %d does not end", process.pid)


@contextlib.contextmanager
def _memory_file() -> Iterator[int]:
    descriptor = os.memfd_create("command-output")
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _tail(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    raw = os.pread(descriptor, TAIL_BYTES, max(0, size - TAIL_BYTES))
    return raw.decode("utf-8", "replace").strip()
