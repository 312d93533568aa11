"""Runs a command of the host within a deadline, and returns what it printed.

The output goes to a file in memory, and not to a pipe: a pipe stays open while a process lives that the
command started in the background, and powerd would wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence

from app.adapters.libraries.timeouts import timeout
from app.domain.values import value

TAIL_BYTES = 400
KILL_TIMEOUT_S = 1.0
OUTPUT_BYTES_MAX = 16 << 20
"""powerd drops an output beyond this: a command must not fill the machine's memory."""
LOOK_S = 0.05

OF_THE_SERVICE = frozenset({"CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"})
"""The daemon's own variables from systemd. A command that has them speaks to systemd in its name (busctl does),
and systemd logs a refusal."""

_log = logging.getLogger(__name__)

_not_ended: list[subprocess.Popen[bytes]] = []
"""Killed commands that did not end in time; reaped when the next command runs."""


@value
class Ended:
    """A command that ended by itself: its exit code (negative: the signal's number) and its last output."""

    code: int
    tail: str


@value
class Answered:
    """The answer of a command: its exit code, its output, and the end of its stderr."""

    code: int
    output: str
    stderr_tail: str


async def run_command(command: Sequence[str], timeout_s: float, environment: Mapping[str, str] | None = None) -> Ended:
    """Run the command. After ``timeout_s``, and on cancellation, it is killed and reaped.

    Without ``environment`` it has this process's, without `OF_THE_SERVICE`.

    Raises `TimeoutError`, and ``OSError`` when it cannot be started.
    """
    with _memory_file() as output:
        code = await _run(command, timeout_s, output, subprocess.STDOUT, environment)
        return Ended(code, _tail(output, TAIL_BYTES))


async def ask_command(command: Sequence[str], timeout_s: float, output_bytes_max: int) -> Answered:
    """Run the command as `run_command` does, and return its stdout and stderr separately.

    Its locale is English (``LC_ALL=C``). An output of more than ``output_bytes_max`` is cut at its beginning.
    """
    with _memory_file() as output, _memory_file() as stderr:
        code = await _run(command, timeout_s, output, stderr, {**inherited(), "LC_ALL": "C"})
        return Answered(code, _tail(output, output_bytes_max), _tail(stderr, TAIL_BYTES))


def inherited() -> dict[str, str]:
    """This process's environment, without `OF_THE_SERVICE`."""
    return {name: value for name, value in os.environ.items() if name not in OF_THE_SERVICE}


async def _run(
    command: Sequence[str], timeout_s: float, stdout: int, stderr: int, environment: Mapping[str, str] | None = None
) -> int:
    _not_ended[:] = [earlier for earlier in _not_ended if earlier.poll() is None]
    async with timeout(timeout_s):
        process = subprocess.Popen(  # noqa: ASYNC220 - as asyncio starts it too; its own way adds a thread and 3 ms
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=inherited() if environment is None else environment,
            start_new_session=True,  # so that its child processes can be killed with it
        )
        with _end_of(process) as end:
            try:
                while not await _ended(process, end, LOOK_S):
                    _bound(stdout, stderr)
                return process.returncode
            finally:
                if process.returncode is None:
                    await _kill(process, end)


@contextlib.contextmanager
def _end_of(process: subprocess.Popen[bytes]) -> Iterator[asyncio.Event]:
    """Is set when the process ends. A kernel before Linux 5.3 can't say so, and the process is only looked at."""
    end, loop = asyncio.Event(), asyncio.get_running_loop()
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:
        yield end
        return
    loop.add_reader(descriptor, end.set)
    try:
        yield end
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


async def _ended(process: subprocess.Popen[bytes], end: asyncio.Event, within_s: float) -> bool:
    """Wait, and reap the process if it has ended.

    By a plain timer: in Python 3.11.2 a timeout inside of one that is over does not end as such.
    """
    timer = asyncio.get_running_loop().call_later(within_s, end.set)
    try:
        await end.wait()
    finally:
        timer.cancel()
        end.clear()
    return process.poll() is not None


def _bound(*outputs: int) -> None:
    """Empty an output that is too long. The command shares its offset, and goes on at the beginning."""
    for output in outputs:
        if output >= 0 and os.fstat(output).st_size > OUTPUT_BYTES_MAX:
            os.ftruncate(output, 0)
            os.lseek(output, 0, os.SEEK_SET)


async def _kill(process: subprocess.Popen[bytes], end: asyncio.Event) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # it ended just now
        pass
    except PermissionError as error:  # it runs as another user
        _log.warning("the command with pid %d hangs, and can't be killed: %s", process.pid, error)
    if not await _ended(process, end, KILL_TIMEOUT_S):
        _not_ended.append(process)
        _log.warning("the killed command with pid %d does not end", process.pid)


@contextlib.contextmanager
def _memory_file() -> Iterator[int]:
    descriptor = os.memfd_create("command-output")
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _tail(descriptor: int, bytes_max: int) -> str:
    size = os.fstat(descriptor).st_size
    raw = os.pread(descriptor, bytes_max, max(0, size - bytes_max))
    return raw.decode("utf-8", "replace").strip()
