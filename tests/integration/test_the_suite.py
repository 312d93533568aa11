"""What the suite promises of itself: a test that hangs fails alone, and an interrupted run leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.slowness import patient

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
ENDED_S = 90.0

HANGING = """
import asyncio, signal, subprocess, threading, time
import pytest, tests.deadlines
tests.deadlines.HARD_S = 3
pytestmark = pytest.mark.timeout(1)

def test_hangs_in_a_sleep():
    time.sleep(1000)

def test_hangs_in_a_join():
    thread = threading.Thread(target=time.sleep, args=(1000,))
    thread.start()
    thread.join()

def test_hangs_in_the_wait_for_a_process():
    subprocess.Popen(["sleep", "1000"]).wait()

@pytest.mark.anyio
async def test_hangs_in_an_await():
    await asyncio.Event().wait()

async def spin():
    while True:
        await asyncio.sleep(0)

async def beside_a_spinning_task():
    async with asyncio.TaskGroup() as group:
        group.create_task(spin())
        await asyncio.Event().wait()

def test_hangs_in_a_loop():
    asyncio.run(beside_a_spinning_task())

def test_hangs_and_swallows_the_alarm():
    try:
        time.sleep(1000)
    except BaseException:
        pass

@pytest.fixture
def left_hanging():
    yield
    time.sleep(1000)

def test_hangs_afterwards(left_hanging):
    assert False

@pytest.mark.xdist_group("one worker")
def test_hangs_where_no_alarm_comes():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    time.sleep(1000)

@pytest.mark.xdist_group("one worker")
def test_passes_after_it():
    pass

@pytest.mark.parametrize("number", range(9))
def test_passes(number):
    pass
"""

STARTING = """
import os, subprocess, time
from pathlib import Path
from app.entrypoints.demo.redis_server import RedisServer
from tests.rigs.chain.as_process import dev_chain
from tests.rigs.redis import own_server

def test_starts(request):
    with own_server() as redis, dev_chain() as chain:
        plain = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        pids = [os.getpid(), redis._process.pid, chain.process.pid, plain.pid]
        started = Path(__file__).with_name("started")
        started.with_suffix(".new").write_text(f"{os.environ['TMPDIR']} {' '.join(map(str, pids))}")
        started.with_suffix(".new").rename(started)
        time.sleep(1000)
"""


SHARING = """
import os, pytest

@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("group", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in "abcd"])
def test_it(group, number):
    print(f"{group} ran in {os.environ['PYTEST_XDIST_WORKER']}")
"""


async def run(directory: Path, test: str, workers: int) -> asyncio.subprocess.Process:
    """A run of one file of tests, under the rules of this suite."""
    file = directory / "test_it.py"
    file.write_text(test)
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)),
        *("-p", "tests.conftest", "-n", str(workers), "-rA", str(file)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "COLUMNS": "200", "POWERD_TEST_SLOWNESS": "1"},
        # A shell that runs the suite in the background has it ignore SIGINT, and the child would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


async def test_a_test_that_hangs_fails_alone_and_by_its_name_however_it_hangs(tmp_path: Path) -> None:
    process = await run(tmp_path, HANGING, 2)
    async with asyncio.timeout(patient(120)):
        told = (await process.communicate())[0].decode()
    wanted = set(re.findall(r"def (test_hangs\w+)", HANGING))
    assert set(re.findall(r"^FAILED \S*::(\w+)", told, re.MULTILINE)) == wanted, told
    assert set(re.findall(r"^ERROR \S*::(\w+)", told, re.MULTILINE)) == {"test_hangs_afterwards"}, told
    assert len(re.findall(r"^PASSED ", told, re.MULTILINE)) == 10, told
    assert "INTERNALERROR" not in told
    assert "it took longer than 1 s" in told


async def test_tests_that_share_something_run_in_one_worker(tmp_path: Path) -> None:
    process = await run(tmp_path, SHARING, 2)
    async with asyncio.timeout(patient(60)):
        told = (await process.communicate())[0].decode()
    ran = re.findall(r"(\w) ran in (\w+)", told)
    assert len(ran) == 12, told
    assert len(set(ran)) == 4, told
    assert len({worker for _, worker in ran}) == 2, told


@pytest.mark.parametrize(
    ("who", "how"),
    [
        ("runner", signal.SIGINT),
        ("runner", signal.SIGTERM),
        ("runner", signal.SIGKILL),
        ("worker", signal.SIGKILL),
    ],
)
async def test_an_interrupted_run_leaves_nothing_running(tmp_path: Path, who: str, how: signal.Signals) -> None:
    process = await run(tmp_path, STARTING, 1)
    started = tmp_path / "started"
    async with asyncio.timeout(patient(60)):
        while not started.exists():
            assert process.returncode is None, (await process.communicate())[0].decode()
            await asyncio.sleep(0.05)
    directory, *pids = started.read_text().split()
    os.kill(process.pid if who == "runner" else int(pids[0]), how)
    try:
        async with asyncio.timeout(patient(ENDED_S)):
            while any(runs(int(pid)) for pid in pids) or Path(directory).exists():  # noqa: ASYNC110, ASYNC240
                await asyncio.sleep(0.05)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def runs(pid: int) -> bool:
    """Whether it does more than wait to be reaped."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
