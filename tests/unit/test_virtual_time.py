"""Time in unit tests: it passes only when no task can run, and never by itself."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from app.adapters.simulated.clock import Deadlock, VirtualClock, VirtualLoop
from tests.slowness import patient


@pytest.mark.anyio
async def test_a_day_passes_in_no_time(clock: VirtualClock) -> None:
    began_s = time.monotonic()
    await clock.sleep(86_400 * 3)
    assert clock.monotonic() == 86_400 * 3
    assert clock.now() == 1_700_000_000.0 + 86_400 * 3
    assert time.monotonic() - began_s < patient(5)


@pytest.mark.anyio
async def test_sleepers_wake_in_the_order_of_their_times(clock: VirtualClock) -> None:
    woken: list[tuple[float, str]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((clock.monotonic(), name))

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper("late", 7.5))
        group.create_task(sleeper("early", 0.5))
        group.create_task(sleeper("later still", 1e6))
    assert woken == [(0.5, "early"), (7.5, "late"), (1e6, "later still")]


@pytest.mark.anyio
async def test_a_timeout_ends_its_body_at_its_moment(clock: VirtualClock) -> None:
    with pytest.raises(TimeoutError):
        async with clock.timeout(30):
            await asyncio.Event().wait()
    assert clock.monotonic() == 30


@pytest.mark.anyio
async def test_time_stands_still_while_a_task_works(clock: VirtualClock) -> None:
    for _ in range(100):
        await asyncio.sleep(0)
    assert clock.monotonic() == 0


@pytest.mark.anyio
async def test_a_jump_of_the_wall_clock_leaves_monotonic_time_alone(clock: VirtualClock) -> None:
    await clock.sleep(10)
    clock.step_wall_clock(-3600)
    assert clock.now() == 1_700_000_000.0 - 3590
    assert clock.monotonic() == 10


@pytest.mark.anyio
async def test_threads_are_refused(clock: VirtualClock) -> None:
    with pytest.raises(RuntimeError, match="virtual time"):
        await asyncio.to_thread(time.monotonic)


def test_waiting_for_nothing_is_a_deadlock_not_a_hang() -> None:
    async def wait_for_nothing() -> None:
        await asyncio.Event().wait()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner, pytest.raises(Deadlock, match="no timer is set"):
        runner.run(wait_for_nothing())


def test_the_clock_shows_its_start_before_the_loop_runs_and_its_end_afterwards() -> None:
    clock = VirtualClock(epoch_s=100.0)
    assert clock.now() == 100.0
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(clock.sleep(5))
    assert clock.now() == 105.0


def test_a_virtual_clock_on_a_real_loop_is_a_mistake() -> None:
    async def read() -> float:
        return VirtualClock().now()

    with pytest.raises(TypeError, match="VirtualLoop"):
        asyncio.run(read())


def test_tiny_steps_far_from_zero_still_go_forward() -> None:
    async def nap(clock: VirtualClock) -> None:
        await clock.sleep(3e8)
        await clock.sleep(1e-9)

    clock = VirtualClock()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(nap(clock))
    assert clock.monotonic() >= 3e8


@pytest.mark.anyio
async def test_a_timeout_that_strikes_beside_a_cancellation_leaves_the_cancellation(clock: VirtualClock) -> None:
    """As asyncio's: what cancels the task wins."""
    ended: list[str] = []

    async def body() -> None:
        try:
            async with clock.timeout(5):
                await clock.sleep(60)
        except TimeoutError:
            ended.append("timeout")
            raise
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    task = asyncio.get_running_loop().create_task(body())
    asyncio.get_running_loop().call_later(5, task.cancel)
    await asyncio.wait([task])
    assert ended == ["cancelled"]
    assert task.cancelled()


@pytest.mark.anyio
async def test_a_body_without_time_left_ends_at_its_first_wait(clock: VirtualClock) -> None:
    with pytest.raises(TimeoutError):
        async with clock.timeout(0):
            await clock.sleep(1)
    assert clock.monotonic() == 0


def test_the_loop_goes_on_after_a_callback_that_fails() -> None:
    told: list[str] = []

    def fail() -> None:
        raise LookupError("no such thing")

    async def wait() -> str:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(repr(context["exception"])))
        loop.call_soon(fail)
        await asyncio.sleep(1)
        return "went on"

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(wait()) == "went on"
    assert told == ["LookupError('no such thing')"]


def test_ctrl_c_ends_a_run_with_its_tasks() -> None:
    ended: list[str] = []

    async def wait() -> None:
        asyncio.get_running_loop().call_later(5, signal.raise_signal, signal.SIGINT)
        try:
            await asyncio.sleep(10)
        finally:
            ended.append("cleaned up")

    with pytest.raises(KeyboardInterrupt), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(wait())
    assert ended == ["cleaned up"]
