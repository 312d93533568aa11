"""One daemon thread that does the heavy, blocking work of the chain library.

substrate-interface is not thread-safe, takes half a second to read a runtime's metadata, and
blocks: so one thread owns it, for the life of the client, and asyncio hands it jobs. A daemon
thread, because an executor's thread would keep the process alive until its job ends.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from app.domain.errors import ChainUnavailable

Result = TypeVar("Result")
_Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], Any]]

ONE_AT_A_TIME = threading.Lock()
"""The library keeps the types it is working with in class attributes, so also two clients of one
process, with a runtime each, must not decode at the same time."""


class Worker:
    """Runs jobs one after the other in a thread that starts with the first one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False

    async def run(self, job: Callable[[], Result], deadline_s: float) -> Result:
        """The job's result, or what it raised; `ChainUnavailable` when it took too long.

        A job that no caller waits for any more is skipped, unless it has begun: then it runs to its
        end unheard. Jobs only compute and never wait, so that end is near.
        """
        if self._closed:
            raise ChainUnavailable("the chain client is closed")
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._jobs.put((loop, future, job))
        try:
            async with asyncio.timeout(deadline_s):
                return await future
        except TimeoutError:
            if not future.cancelled():
                # The job's own; or the job ended at the deadline, while the event loop was held up.
                return future.result()
            message = f"this machine was too busy to read the chain's answer within {deadline_s:g} s"
            raise ChainUnavailable(message) from None

    def close(self) -> None:
        """End the thread after the job it is in; does not wait for it."""
        self._closed = True
        self._jobs.put(None)

    def _work(self) -> None:
        while (entry := self._jobs.get()) is not None:
            loop, future, job = entry
            if future.cancelled():
                continue
            try:
                with ONE_AT_A_TIME:
                    outcome: Callable[[], None] = _result(future, job())
            except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the one who waits
                outcome = _failure(future, error)
            try:
                loop.call_soon_threadsafe(outcome)
            except RuntimeError:  # the loop was closed meanwhile: no caller waits
                return
            # Not one job's data may live on until the next job comes.
            del entry, loop, future, job, outcome


def _result(future: asyncio.Future[Any], value: object) -> Callable[[], None]:
    def deliver() -> None:
        if not future.done():
            future.set_result(value)

    return deliver


def _failure(future: asyncio.Future[Any], error: BaseException) -> Callable[[], None]:
    def deliver() -> None:
        if not future.done():
            future.set_exception(error)

    return deliver
