"""The thread that does the chain library's work: a caller that stops waiting is free at once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest

from app.adapters.substrate.worker import Worker
from app.domain.errors import ChainUnavailable
from tests.slowness import patient

pytestmark = pytest.mark.anyio

NAME = "test-worker"
LONG_S = 30.0


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(NAME)
    yield made
    made.close()


async def test_jobs_run_in_one_thread_in_their_order(worker: Worker) -> None:
    def job(number: int) -> tuple[int, int]:
        return number, threading.get_ident()

    results = await asyncio.gather(*(worker.run(partial(job, number), LONG_S) for number in range(20)))
    assert [number for number, _ in results] == list(range(20))
    assert len({thread for _, thread in results} | {threading.get_ident()}) == 2


@pytest.mark.parametrize("error", [ValueError("broken"), TimeoutError("its own")])
async def test_what_a_job_raises_is_raised_where_it_is_awaited(worker: Worker, error: Exception) -> None:
    def job() -> None:
        raise error

    with pytest.raises(type(error), match=str(error)):
        await worker.run(job, LONG_S)
    assert await worker.run(lambda: "alive", LONG_S) == "alive"


async def test_a_job_that_takes_too_long_is_unavailable_and_the_next_one_runs(worker: Worker) -> None:
    release = threading.Event()
    with pytest.raises(ChainUnavailable, match=r"within 0\.05 s"):
        await worker.run(release.wait, 0.05)
    release.set()
    assert await worker.run(lambda: "next", LONG_S) == "next"


async def test_a_job_that_ended_while_the_event_loop_was_held_up_past_the_deadline_has_its_result(
    worker: Worker,
) -> None:
    ended = threading.Event()

    def job() -> str:
        ended.set()
        return "result"

    running = asyncio.ensure_future(worker.run(job, 0.05))
    await asyncio.sleep(0)
    # A machine that is slow enough: nothing of the loop runs until result and deadline are both due.
    assert ended.wait(patient(10))
    time.sleep(0.2)  # noqa: ASYNC251 - the event loop is held up on purpose
    assert await running == "result"


async def test_a_job_without_a_waiting_caller_is_skipped(worker: Worker) -> None:
    release = threading.Event()
    ran: list[str] = []
    blocking = asyncio.ensure_future(worker.run(release.wait, LONG_S))
    given_up = asyncio.ensure_future(worker.run(lambda: ran.append("given up"), LONG_S))
    await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    release.set()
    await blocking
    await worker.run(lambda: ran.append("last"), LONG_S)
    assert ran == ["last"]


async def test_a_closed_worker_takes_no_job_and_its_thread_ends(worker: Worker) -> None:
    before = set(threading.enumerate())  # that of the test before may still be ending
    await worker.run(lambda: None, LONG_S)
    (thread,) = [thread for thread in threading.enumerate() if thread.name == NAME and thread not in before]
    assert thread.daemon
    worker.close()
    thread.join(patient(10))
    assert not thread.is_alive()
    with pytest.raises(ChainUnavailable, match="closed"):
        await worker.run(lambda: None, LONG_S)
