"""Ends everything that a process started when that process ends: by Ctrl-C, SIGTERM, SIGKILL or a crash.

What is started inherits a variable of the environment, by which it is known. A Redis server writes its
title over its environment, and is known by its working directory.

Runs beside the process, as a program of its own that imports nothing of powerd.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

MARK = "RUN_OF_POWERD"
LOOK_S = 0.05
LOOKS = 200

_beside: list[subprocess.Popen[bytes]] = []


def start_reaper(directory: Path, *, remove: bool) -> None:
    """Everything that this process starts from now on ends with it, if it has not ended before.

    ``directory`` is this run's own; with ``remove`` it is removed as well.
    """
    unmarked = {name: value for name, value in os.environ.items() if name != MARK}
    command = [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(directory), "remove" if remove else "keep"]
    nothing = subprocess.DEVNULL
    _beside.append(
        subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, env=unmarked, start_new_session=True)
    )
    os.environ[MARK] = str(directory)


def main(pid: int, directory: str, *, remove: bool) -> None:
    """Wait until process ``pid``, the parent, has ended, then end its remaining processes."""
    _wait_for_the_end_of(pid)
    for _ in range(LOOKS):
        left = [each for each in _processes() if _belongs(each, directory)]
        if not left:
            break
        for each in left:
            with contextlib.suppress(OSError):
                os.kill(each, signal.SIGKILL)
        time.sleep(LOOK_S)
    if remove:
        shutil.rmtree(directory, ignore_errors=True)


def _wait_for_the_end_of(pid: int) -> None:
    with contextlib.suppress(OSError):  # Linux before 5.3 has no descriptors of processes
        handle = os.pidfd_open(pid)
        if os.getppid() == pid:
            select.select([handle], [], [])
    while os.getppid() == pid:
        time.sleep(LOOK_S)


def _processes() -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            yield int(entry.name)


def _belongs(pid: int, directory: str) -> bool:
    """Another user's process cannot be read, and is none of ours."""
    try:
        if f"{MARK}={directory}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            return True
        return Path(f"/proc/{pid}/cwd").readlink().is_relative_to(directory)
    except OSError:
        return False


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], remove=sys.argv[3] == "remove")
