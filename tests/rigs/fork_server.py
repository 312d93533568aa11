"""Forks the project's programs from a process that has loaded their modules already.

``python -m tests.rigs.fork_server PATH`` listens at PATH.

Without this, a program spends most of its start, and a test run most of its time, on importing
the same modules. A forked program is a process like any other, with its own id, descriptors, signals
and exit code; `tests.rigs.forked_program` asks for it. Tests of the start itself
(test_cli.py, test_farm_cli.py, test_whole_farm.py) start the programs in the ordinary way.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import gc
import importlib
import json
import logging
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from collections.abc import Mapping
from typing import Any, NoReturn

from app.adapters.simulated.ledger import InvalidTransaction
from app.entrypoints.devchain.dev_runtime import runtime

PRELOADED = (
    "app.adapters.files.holds",
    "app.adapters.files.key_file",
    "app.adapters.linux.host_facts",
    "app.adapters.linux.host_power",
    "app.adapters.linux.nic",
    "app.adapters.redis.power_events",
    "app.adapters.substrate.blocks",
    "app.adapters.substrate.chain",
    "app.adapters.substrate.identity",
    "app.adapters.substrate.library",
    "app.adapters.telemetry.log",
    "app.adapters.wol.raw",
    "app.adapters.wol.udp",
    "app.adapters.zbus.power_object",
    "app.adapters.zbus.server",
    "app.entrypoints.powerd.cli",
    "app.entrypoints.powerd.daemon",
    "app.entrypoints.devchain.cli",
    "app.entrypoints.devchain.server",
    "app.entrypoints.neighbours.__main__",
    "app.entrypoints.neighbours.gateway",
    "app.entrypoints.neighbours.zinit",
    "app.entrypoints.wiring.simulated",
    "app.entrypoints.wiring.substrate",
    "app.entrypoints.wiring.zos",
    "redis.asyncio.retry",
)
DESCRIPTORS = 3
DESCRIPTORS_MAX = 1 << 12
REQUEST_BYTES_MAX = 1 << 16


def main(path: str) -> None:
    """Serve until standard input ends; then kill every program that still runs."""
    for module in PRELOADED:
        importlib.import_module(module)
    with contextlib.suppress(InvalidTransaction):
        runtime(0).decode_call(b"")  # makes the dev chain's metadata, a third of a second each time
    gc.freeze()  # the forked processes share what is loaded before the forks
    waiting: dict[int, socket.socket] = {}
    told, teller = os.pipe()
    os.set_blocking(teller, False)
    signal.set_wakeup_fd(teller, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listener.fileno(), told, 0], [], [])
            if 0 in ready:
                break
            if told in ready:
                os.read(told, 4096)
                _reap(waiting)
            if listener.fileno() in ready:
                asker, _ = listener.accept()
                waiting[_fork(asker)] = asker
    for pid in waiting:
        os.kill(pid, signal.SIGKILL)


def _reap(waiting: dict[int, socket.socket]) -> None:
    for pid in list(waiting):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            asker = waiting.pop(pid)
            with contextlib.suppress(OSError):  # the process that asked may have ended
                asker.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
            asker.close()


def _fork(asker: socket.socket) -> int:
    descriptors = array.array("i")
    space = socket.CMSG_LEN(DESCRIPTORS * descriptors.itemsize)
    request, ancillary, _, _ = asker.recvmsg(REQUEST_BYTES_MAX, space)
    for _, _, data in ancillary:
        descriptors.frombytes(data)
    pid = os.fork()
    if not pid:
        _become(json.loads(request), list(descriptors))
    for descriptor in descriptors:
        os.close(descriptor)
    asker.sendall(f"{pid}\n".encode())
    return pid


def _become(request: Mapping[str, Any], descriptors: list[int]) -> NoReturn:
    """Run the program that was asked for, as if it had been started."""
    code: object = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for target, descriptor in enumerate(descriptors):
            os.dup2(descriptor, target)
        os.closerange(DESCRIPTORS, DESCRIPTORS_MAX)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["directory"])
        if request["fresh"]:
            os.execvp(request["fresh"][0], request["fresh"])
        sys.argv = [request["module"], *request["arguments"]]
        if request["module"] in PRELOADED:
            sys.modules[request["module"]].main()
        else:
            runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - what a fresh interpreter would do with it
        traceback.print_exc()
    finally:
        if isinstance(code, str):
            print(code, file=sys.stderr)
        atexit._run_exitfuncs()
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    main(sys.argv[1])
