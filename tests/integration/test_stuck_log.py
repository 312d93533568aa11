"""The daemon as a process, while what reads its log stands still: a stopped journald, a zinit that hangs, Ctrl-S."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.rigs.node import Node, node_rig

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

PIPE_BYTES = 4096


@contextmanager
def unread(node: Node) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon, with its log in a small pipe that is read by no program."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    process = subprocess.Popen(node.daemon.command, stderr=writer)
    os.close(writer)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        os.close(reader)


async def test_it_reports_on_though_its_log_is_read_by_no_program() -> None:
    async with node_rig(settings={"uptime": {"interval_s": 0.5}}) as node:
        with unread(node) as process:
            before = node.extrinsics()
            while node.extrinsics() < before + 20:
                await node.blocks_pass(1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
