"""A daemon thread for the heavy, blocking work of the chain library.

substrate-interface is not thread-safe, blocks, and takes half a second to read a runtime's metadata. So one
thread owns it, for the life of the client, and gets jobs from asyncio. It is a daemon thread, because the
thread of an executor would keep the process alive until its job ends.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from app.adapters.libraries.timeouts import timeout
from app.domain.errors import ChainUnavailable

Result = TypeVar("Result")
_Job = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], Any]]

ONE_AT_A_TIME = threading.Lock()
"""The library keeps the current types in class attributes, so that two clients of one process, each with a
runtime, must not decode at the same time."""


class Worker:
    """Runs jobs one after the other in a thread that starts with the first one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False

    async def run(self, job: Callable[[], Result], deadline_s: float) -> Result:
        """Return the job's result, or raise its error. Raises `ChainUnavailable` when it took too long.

        A job without a waiting caller is skipped if it has not begun. Else it runs to its end, which is
        soon, since jobs only compute and never wait.
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
            async with timeout(deadline_s):
                return await future
        except TimeoutError:
            if not future.cancelled():
                # The job itself raised it, or it ended at the deadline while the event loop was busy.
                return future.result()
            message = f"this machine was too busy to read the chain's answer within {deadline_s:g} s"
            raise ChainUnavailable(message) from None

    def close(self) -> None:
        """End the thread after its current job. Does not wait for that."""
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
            except BaseException as error:  # noqa: BLE001 - the waiting caller gets it
                outcome = _failure(future, error)
            try:
                loop.call_soon_threadsafe(outcome)
            except RuntimeError:  # the loop was closed meanwhile, so no caller waits
                return
            # Release the job's data now, and not when the next job comes.
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
