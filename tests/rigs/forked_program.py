"""Starts the project's programs as processes, quickly: they are forked from one that has loaded their modules.

See `tests.rigs.fork_server`.
"""

from __future__ import annotations

import array
import asyncio
import atexit
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO

POWERD = "app.entrypoints.powerd.cli"
DEVCHAIN = "app.entrypoints.devchain.cli"
ROOT = Path(__file__).parents[2]


class Forked:
    """A forked process. ``output`` is the open descriptor of its standard output or error."""

    def __init__(self, asked: socket.socket, output: int) -> None:
        self._asked = asked
        self._answers = asked.makefile("r")
        self.output = output
        self.pid = int(self._answers.readline())
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        """As `subprocess.Popen.send_signal`."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float) -> int:
        """The exit code; a signal's number, negative. `TimeoutError` when it did not end in time."""
        if self.returncode is None:
            if not select.select([self._asked], [], [], timeout)[0]:
                raise TimeoutError(f"process {self.pid} did not end within {timeout:g} s")
            self._ended(self._answers.readline())
        assert self.returncode is not None
        return self.returncode

    async def ended(self) -> int:
        """`wait` for async code."""
        if self.returncode is None:
            loop = asyncio.get_running_loop()
            readable = asyncio.Event()
            loop.add_reader(self._asked, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(self._asked)
            self.wait(0)
        assert self.returncode is not None
        return self.returncode

    async def reader(self, limit: int = 1 << 20) -> asyncio.StreamReader:
        """The output of the process."""
        stream = asyncio.StreamReader(limit=limit)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(self.output, "rb", buffering=0)
        )
        return stream

    def _ended(self, answer: str) -> None:
        self.returncode = int(answer)
        self._answers.close()
        self._asked.close()


def start(module: str, *arguments: str, read: str = "stdout", fresh: Sequence[str] = ()) -> Forked:
    """Run ``python -m module arguments``; ``read`` names the output that is read (the other is the test's own).

    ``fresh`` is a command to run instead, without modules loaded before: for benchmarks.
    """
    heard, told = os.pipe()
    asked = socket.socket(socket.AF_UNIX)
    asked.connect(_forge())
    request = {
        "module": module,
        "arguments": list(arguments),
        "environment": dict(os.environ),
        "directory": str(Path.cwd()),
        "fresh": list(fresh),
    }
    with Path(os.devnull).open() as nothing:
        descriptors = [nothing.fileno(), *((told, 2) if read == "stdout" else (1, told))]
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
        asked.sendmsg([json.dumps(request).encode()], [rights])
    process = Forked(asked, heard)
    os.close(told)
    return process


def lines_of(process: Forked) -> IO[str]:
    """The output of the process, for tests that wait by blocking."""
    return os.fdopen(process.output, "r")


def module_of(command: Sequence[str]) -> tuple[str, ...]:
    """``[python, -m, module, …]`` or ``[…/powerd, …]`` as a module and its arguments."""
    if Path(command[0]).name == Path(sys.executable).name:
        assert command[1] == "-m"
        return tuple(command[2:])
    return ({"powerd": POWERD, "powerd-devchain": DEVCHAIN}[Path(command[0]).name], *command[1:])


@cache
def _forge() -> str:
    """The fork server of this test process. It ends with the process, since its standard input ends then."""
    directory = tempfile.mkdtemp(prefix="powerd-")
    atexit.register(shutil.rmtree, directory)
    path = str(Path(directory) / "forge")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.rigs.fork_server", path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    atexit.register(process.communicate)  # ends its standard input
    return path
