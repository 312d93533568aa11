"""Runs blocking calls in threads that block neither the event loop nor the end of the process.

A process cannot end before the call of a cancelled ``asyncio.to_thread`` returns, and some calls (of a
driver that waits for its firmware) return late. A daemon thread does not delay the end.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from app.adapters.libraries.timeouts import timeout

Result = TypeVar("Result")

LOADING_S_MAX = 60.0
"""How long modules may take to load. A busy machine with a slow disk took more than 5 s."""


class EarlierCallHangs(TimeoutError):
    """No call was made, since an earlier one missed its deadline and has not returned yet."""


class NoThreadStarted(TimeoutError):
    """No call was made, since the system has no room for one more thread (a limit of the unit, or of memory)."""


class LoadingTakesLong(TimeoutError):
    """No call was made, since its modules are not loaded yet."""


class DaemonThread:
    """Runs one blocking call at a time, each in a daemon thread, with a deadline.

    A call that misses its deadline runs on. Until it has returned, no other is started, so a driver that
    hangs costs one thread, and not one for each attempt. ``load`` imports the modules of the calls: it runs
    before the first call, in a thread too, and does not count towards its deadline.
    """

    def __init__(self, name: str, timeout_s: float, load: Callable[[], object] | None = None) -> None:
        self._name = name
        self._timeout_s = timeout_s
        self._load = load
        self._loader = None if load is None else DaemonThread(f"{name}-loading", LOADING_S_MAX)
        self._turn = asyncio.Lock()
        self._returned = threading.Event()
        self._returned.set()

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return what ``work()`` returns, or raise what it raises. Raises `TimeoutError` when it takes too long.

        The subclass `EarlierCallHangs`, `LoadingTakesLong` or `NoThreadStarted` says that ``work`` was not started.
        """
        await self._loaded()
        started = False
        try:
            async with timeout(self._timeout_s), self._turn:
                if self._returned.is_set():
                    started = True
                    return await self._start(work)
        except TimeoutError:
            if started:
                raise
        raise EarlierCallHangs(f"an earlier call of the thread {self._name} still hangs")

    async def _loaded(self) -> None:
        if self._load is None or self._loader is None:
            return
        try:
            await self._loader.run(self._load)
        except TimeoutError:
            raise LoadingTakesLong(f"the modules of the thread {self._name} are not loaded yet") from None
        self._load = self._loader = None

    def _start(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()

        def settle(result: Result | None, error: BaseException | None) -> None:
            if done.cancelled():  # no caller waits any more
                return
            if error is None:
                done.set_result(result)  # type: ignore[arg-type]  # work() returned it
            else:
                done.set_exception(error)

        def body() -> None:
            result, error = None, None
            try:
                result = work()
            except BaseException as raised:  # noqa: BLE001  # the caller gets it
                error = raised
            self._returned.set()
            try:
                loop.call_soon_threadsafe(settle, result, error)
            except RuntimeError:  # the loop is closed, since the daemon ended meanwhile
                return

        self._returned.clear()
        try:
            threading.Thread(target=body, name=self._name, daemon=True).start()
        except RuntimeError as error:
            self._returned.set()
            raise NoThreadStarted(f"no thread {self._name} can be started: {error}") from error
        return done
