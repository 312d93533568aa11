"""What every `Clock` does, in real and in virtual time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from pytest_mock import MockerFixture

from app.adapters.linux.clock import SystemClock
from app.adapters.simulated.clock import VirtualClock
from app.ports.clock import Clock
from tests.rigs.virtual_time import Body, run_really, run_virtually

SHORT_S = 0.02
LONG_S = 30.0


@dataclass(frozen=True)
class Rig:
    make: Callable[[], Clock]
    run: Callable[[Body], None]


@pytest.fixture(params=[Rig(VirtualClock, run_virtually), Rig(SystemClock, run_really)], ids=["virtual", "system"])
def rig(request: pytest.FixtureRequest) -> Rig:
    chosen: Rig = request.param
    return chosen


def test_it_is_a_clock(rig: Rig) -> None:
    assert isinstance(rig.make(), Clock)


def test_sleep_lets_both_times_pass(rig: Rig) -> None:
    async def body() -> None:
        clock = rig.make()
        now_s, monotonic_s = clock.now(), clock.monotonic()
        await clock.sleep(SHORT_S)
        # asyncio may wake a timer one resolution early.
        assert clock.monotonic() - monotonic_s >= SHORT_S - 1e-3
        assert clock.now() - now_s == pytest.approx(clock.monotonic() - monotonic_s, abs=0.5)

    rig.run(body)


def test_the_wall_clock_counts_unix_seconds(rig: Rig) -> None:
    assert rig.make().now() > 1_500_000_000


def test_a_timeout_cancels_its_body_and_raises(rig: Rig) -> None:
    async def body() -> None:
        clock = rig.make()
        cancelled = False

        async def wait() -> None:
            nonlocal cancelled
            async with clock.timeout(SHORT_S):
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    cancelled = True
                    raise

        with pytest.raises(TimeoutError):
            await wait()
        assert cancelled

    rig.run(body)


def test_a_body_that_is_in_time_is_left_alone(rig: Rig) -> None:
    async def body() -> None:
        clock = rig.make()
        async with clock.timeout(LONG_S):
            await clock.sleep(0)
        await clock.sleep(SHORT_S)

    rig.run(body)


def test_cancellation_from_outside_is_no_time_out(rig: Rig) -> None:
    async def body() -> None:
        clock = rig.make()

        async def wait() -> None:
            async with clock.timeout(LONG_S):
                await clock.sleep(LONG_S)

        task = asyncio.ensure_future(wait())
        await clock.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    rig.run(body)


def test_a_call_comes_later_unless_it_is_cancelled(rig: Rig) -> None:
    async def body() -> None:
        clock, called = rig.make(), asyncio.Event()
        clock.call_later(SHORT_S / 2, lambda: pytest.fail("cancelled calls don't come")).cancel()
        clock.call_later(SHORT_S, called.set)
        assert not called.is_set()
        await asyncio.wait_for(called.wait(), LONG_S)

    rig.run(body)


def test_a_timeout_in_a_cancelled_task_raises(rig: Rig) -> None:
    async def body() -> None:
        clock = rig.make()
        ended: list[str] = []

        async def clean_up_slowly() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                try:
                    async with clock.timeout(SHORT_S):
                        await asyncio.Event().wait()
                except TimeoutError:
                    ended.append("timed out")

        task = asyncio.create_task(clean_up_slowly())
        await clock.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == ["timed out"]

    rig.run(body)


def test_a_timeout_that_strikes_while_its_task_is_cancelled_leaves_the_cancellation(rig: Rig) -> None:
    async def body() -> None:
        clock = rig.make()

        async def wait() -> None:
            async with clock.timeout(SHORT_S):
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    asyncio.current_task().cancel()  # type: ignore[union-attr]
                    raise

        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(wait())

    rig.run(body)


@pytest.fixture
def suspends(mocker: MockerFixture) -> Callable[[float], None]:
    """Let the machine be suspended for this many seconds: boot time goes on, and asyncio's timers do not."""
    real, slept_s = time.clock_gettime, 0.0

    def suspend(seconds: float) -> None:
        nonlocal slept_s
        slept_s += seconds

    mocker.patch("app.adapters.linux.clock.NAP_S", SHORT_S)
    mocker.patch("app.adapters.linux.clock.time.clock_gettime", lambda clock: real(clock) + slept_s)
    return suspend


@pytest.mark.timeout(LONG_S * 2)
def test_what_was_due_while_the_machine_was_suspended_is_due_soon_after(suspends: Callable[[float], None]) -> None:
    async def body() -> None:
        clock, called = SystemClock(), asyncio.Event()
        clock.call_later(3600.0, lambda: pytest.fail("cancelled calls don't come")).cancel()
        clock.call_later(3600.0, called.set)
        sleeping = asyncio.create_task(clock.sleep(3600.0))
        await clock.sleep(4 * SHORT_S)
        assert not called.is_set()
        assert not sleeping.done()
        suspends(3600.0)
        await called.wait()
        await sleeping

    run_really(body)


def test_the_time_in_suspend_counts(suspends: Callable[[float], None]) -> None:
    clock = SystemClock()
    before_s = clock.monotonic()
    suspends(3600.0)
    assert clock.monotonic() - before_s >= 3600.0
