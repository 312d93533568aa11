"""A daemon starts without looking for garbage, and looks for it from then on."""

from __future__ import annotations

import subprocess
import sys

START = """
import asyncio, gc
from app.entrypoints.powerd import cli, command_group, daemon

daemon.run_daemon = lambda _: print(gc.isenabled())
command_group.end_at_once = lambda _: None
cli.main([], standalone_mode=False)

async def until_it_is_on():
    while not gc.isenabled():
        await asyncio.sleep(0)

daemon.START_S = 0
daemon.run_until_stopped(until_it_is_on(), None)
print(gc.isenabled())
"""


def test_the_collector_is_off_at_the_start_and_on_soon_after_whatever_the_daemon_waits_for() -> None:
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split()) == (0, ["False", "True"]), done.stderr
