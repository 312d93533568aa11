"""What `LinuxNic` says when an answer is late: the modules, a driver that is slow, and one that hangs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from pytest_mock import MockerFixture

from app.adapters.linux.nic import LinuxNic
from app.adapters.processes.daemon_thread import DaemonThread, LoadingTakesLong, NoThreadStarted
from app.domain.errors import AnswerLate, NicUnusable
from app.domain.model import Nic
from tests.rigs.fake_kernel import Card, Kernel


@pytest.fixture
def kernel(mocker: MockerFixture) -> Kernel:
    doubled = Kernel()
    doubled.install(mocker)
    doubled.add(Card("zos", "02:00:00:00:00:01", kind="bridge", supported=0))
    doubled.add(Card("eth0", "54:b2:03:a0:11:22", master="zos"))
    return doubled


SLOW_IMPORT = """
import asyncio, sys, time
from app.adapters.linux.nic import LinuxNic

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "pyroute2":
            time.sleep(1.5)

assert "pyroute2" not in sys.modules
sys.meta_path.insert(0, Slow())
asyncio.run(LinuxNic("lo", 1.0).find())
"""


def test_modules_that_load_slowly_are_not_blamed_on_the_driver() -> None:
    ended = subprocess.run([sys.executable, "-c", SLOW_IMPORT], capture_output=True, text=True, check=False)
    assert "NicUnusable: lo has 0 physical network cards" in ended.stderr


def test_modules_that_do_not_load_are_said_to(mocker: MockerFixture) -> None:
    mocker.patch("app.adapters.processes.daemon_thread.LOADING_S_MAX", 0.05)
    let_go = threading.Event()
    mocker.patch("app.adapters.linux.nic.load_library", side_effect=lambda: let_go.wait(30))

    async def body() -> None:
        nic = LinuxNic("zos")
        for _ in range(2):
            with pytest.raises(NicUnusable, match="its modules are still loading") as caught:
                await nic.find()
            assert isinstance(caught.value, AnswerLate)

    try:
        asyncio.run(body())
    finally:
        let_go.set()


def test_what_a_call_needs_is_loaded_once_and_tried_again_when_it_failed() -> None:
    loads: list[str] = []

    def load() -> None:
        loads.append("tried")
        if len(loads) == 1:
            raise ImportError("no such module")

    async def body() -> None:
        thread = DaemonThread("test", 30, load=load)
        with pytest.raises(ImportError):
            await thread.run(lambda: None)
        assert [await thread.run(lambda: 7), await thread.run(lambda: 8)] == [7, 8]

    asyncio.run(body())
    assert len(loads) == 2
    assert issubclass(LoadingTakesLong, TimeoutError)


def test_a_driver_that_hangs_costs_one_thread_and_no_more(mocker: MockerFixture) -> None:
    let_go = threading.Event()
    mocker.patch("app.adapters.linux.library.IPRoute", side_effect=lambda: let_go.wait(30))

    async def ask_three_times() -> None:
        nic = LinuxNic("zos", timeout_s=0.05)
        before = set(threading.enumerate())
        for said in ("did not answer within 0.05 s", "an earlier question", "an earlier question"):
            with pytest.raises(NicUnusable, match=said) as caught:
                await nic.find()
            assert isinstance(caught.value, AnswerLate)
        assert len(set(threading.enumerate()) - before) == 1

    try:
        asyncio.run(ask_three_times())
    finally:
        let_go.set()


def test_a_question_that_waits_for_another_ones_turn_blames_the_earlier_one(mocker: MockerFixture) -> None:
    let_go = threading.Event()
    mocker.patch("app.adapters.linux.library.IPRoute", side_effect=lambda: let_go.wait(30))

    async def ask_at_once() -> None:
        nic = LinuxNic("zos", timeout_s=0.05)
        said = [str(error) for error in await asyncio.gather(nic.find(), nic.find(), return_exceptions=True)]
        assert ["did not answer within" in each for each in said] == [True, False]

    try:
        asyncio.run(ask_at_once())
    finally:
        let_go.set()


def test_after_a_hang_the_card_is_asked_again(kernel: Kernel, mocker: MockerFixture) -> None:
    let_go, hangs = threading.Event(), threading.Event()
    hangs.set()
    netlink: Callable[[], object] = kernel._netlink

    def hang_once() -> object:
        if hangs.is_set():
            let_go.wait(30)
        return netlink()

    mocker.patch("app.adapters.linux.library.IPRoute", side_effect=hang_once)

    async def ask() -> Nic:
        nic = LinuxNic("zos", timeout_s=5)
        asking = asyncio.ensure_future(nic.find())
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        hangs.clear()
        let_go.set()
        for _ in range(500):
            try:
                return await nic.find()
            except NicUnusable:  # the old thread is about to return
                await asyncio.sleep(0.002)
        pytest.fail("the card is never asked again")

    assert asyncio.run(ask()).name == "eth0"


def test_a_system_without_room_for_a_thread_is_said_to_and_asked_again(mocker: MockerFixture) -> None:
    async def body() -> None:
        thread = DaemonThread("powerd-test", 5.0)
        full = mocker.patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread"))
        with pytest.raises(NoThreadStarted, match="no thread powerd-test can be started: can't start new thread"):
            await thread.run(lambda: 1)
        mocker.stop(full)
        assert await thread.run(lambda: 2) == 2

    asyncio.run(body())
