"""Blocking calls into the kernel, kept away from the event loop and from the end of the process.

A cancelled ``asyncio.to_thread`` holds the process until its call returns, and some calls (a driver
that waits for its firmware) return late. A daemon thread holds nothing.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


class DaemonThread:
    """Runs one blocking call at a time, each in a daemon thread, with a deadline.

    A call that misses its deadline is left alone; until it has returned, no other is started, so
    a stuck driver costs one thread and not one per attempt.
    """

    def __init__(self, name: str, timeout_s: float) -> None:
        self._name = name
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()
        self._returned = threading.Event()
        self._returned.set()

    async def run(self, work: Callable[[], Result]) -> Result:
        """Result of ``work()``, or what it raised; `TimeoutError` when it took too long."""
        async with asyncio.timeout(self._timeout_s), self._turn:
            if not self._returned.is_set():
                raise TimeoutError(f"an earlier call of the thread {self._name} still hangs")
            return await self._start(work)

    def _start(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()

        def settle(result: Result | None, error: BaseException | None) -> None:
            if done.cancelled():  # nobody waits any more
                return
            if error is None:
                done.set_result(result)  # type: ignore[arg-type]  # work() returned it
            else:
                done.set_exception(error)

        def body() -> None:
            result, error = None, None
            try:
                result = work()
            except BaseException as raised:  # noqa: BLE001  # it is raised again where it is awaited
                error = raised
            self._returned.set()
            try:
                loop.call_soon_threadsafe(settle, result, error)
            except RuntimeError:  # the loop is closed: the daemon ended meanwhile
                return

        self._returned.clear()
        threading.Thread(target=body, name=self._name, daemon=True).start()
        return done
