"""Virtual time: an event loop whose clock jumps to the next timer when no task can run.

An hour of waiting costs no time, and the order of everything that happens is the same in every run.
`VirtualLoop` has no file descriptors and no threads, so real I/O can't slip in: it would make runs
differ. Pytest runs async tests on it with the fixture
``anyio_backend = ("asyncio", {"loop_factory": VirtualLoop})``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from contextvars import Context
from heapq import heappop, heappush
from types import TracebackType
from typing import Any, NoReturn


class Deadlock(RuntimeError):
    """Every task waits and no timer is set, so that in virtual time no task would ever run again."""


class _Due(list[Any]):
    """A callback that is due: when, in which order among those of that moment, what, and its arguments.

    Half of a run's callbacks are timers. A list is made and compared in C, and asyncio's own handles are not.
    """

    __slots__ = ()

    def when(self) -> float:
        """As an `asyncio.TimerHandle`."""
        return float(self[0])

    def cancel(self) -> None:
        self[2] = None

    def cancelled(self) -> bool:
        return self[2] is None


class VirtualLoop(asyncio.BaseEventLoop):
    """An asyncio event loop in virtual time, which starts at 0 seconds.

    Raises `Deadlock` out of ``run_until_complete`` when nothing can run any more. Timers that are due
    at the same moment run in the order in which they were set. Simulations spend a good part of their
    time here. asyncio's debug mode finds nothing here, and all tasks share one context, since no
    simulated code has context variables: to enter a context for each callback takes a thirtieth of a
    run.
    """

    _ready: deque[_Due]
    _stopping: bool
    get_debug = bool
    """False: each future and each task asks for it, and this answer costs no call of Python."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        """Virtual seconds since the loop was made."""
        self._timers: list[_Due] = []
        self.timers_set = 0

    def time(self) -> float:
        return self.now_s

    def call_at(  # type: ignore[override]  # typeshed names arguments that no caller names
        self,
        when: float,
        callback: Callable[..., Any],
        *args: Any,
        context: Context | None = None,  # noqa: ARG002
    ) -> asyncio.TimerHandle:
        self.timers_set += 1
        timer = _Due((when, self.timers_set, callback, args))
        heappush(self._timers, timer)
        return timer  # type: ignore[return-value]

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., Any],
        *args: Any,
        context: Context | None = None,  # noqa: ARG002
    ) -> asyncio.TimerHandle:
        self.timers_set += 1
        timer = _Due((self.now_s + delay, self.timers_set, callback, args))
        heappush(self._timers, timer)
        return timer  # type: ignore[return-value]

    def call_soon(  # type: ignore[override]
        self,
        callback: Callable[..., Any],
        *args: Any,
        context: Context | None = None,  # noqa: ARG002
    ) -> asyncio.Handle:
        handle = _Due((0.0, 0, callback, args))
        self._ready.append(handle)
        return handle  # type: ignore[return-value]

    call_soon_threadsafe = call_soon  # type: ignore[assignment]  # asked for by Ctrl-C, in the loop's own thread

    def run_in_executor(self, executor: object, func: Callable[..., Any], *args: Any) -> NoReturn:  # type: ignore[override]  # noqa: ARG002
        """Refuse, since a thread runs in real time."""
        raise RuntimeError(f"{func!r} can't run in a thread: this event loop is in virtual time")

    def _run_once(self) -> None:
        """Turns until the loop is asked to stop: in each, move the clock if nothing is ready, then run what is."""
        ready, timers = self._ready, self._timers
        next_ready = ready.popleft
        while True:
            if not ready and not self._stopping:
                self._move_clock()
            while timers and timers[0][0] <= self.now_s:
                ready.append(heappop(timers))
            for _ in range(len(ready)):
                _, _, callback, args = handle = next_ready()
                if callback is not None:
                    try:
                        callback(*args)
                    except (SystemExit, KeyboardInterrupt):
                        raise
                    except BaseException as error:  # noqa: BLE001 - what asyncio's own handles do
                        what = {"message": "a callback failed", "exception": error, "handle": handle}
                        self.call_exception_handler(what)
            if self._stopping:
                return

    def _move_clock(self) -> None:
        timers = self._timers
        while timers and timers[0][2] is None:
            heappop(timers)
        if not timers:
            raise Deadlock("deadlock in virtual time: every task waits, and no timer is set")
        self.now_s = max(self.now_s, timers[0][0])

    def _process_events(self, event_list: list[object]) -> None:
        """Asked for by asyncio; there is no I/O here."""

    def _write_to_self(self) -> None:
        """Asked for by asyncio to end a select early; ours never waits."""


class _Timeout:
    """As ``asyncio.timeout``, in fewer steps, and with one turn of the loop after it struck.

    Python 3.11 shows no tracer the frames that are resumed by an exception, so a coverage report
    would miss what a service does next; the turn resumes them in the ordinary way.
    """

    __slots__ = ("_cancelling", "_expired", "_loop", "_seconds", "_task", "_timer")

    def __init__(self, loop: VirtualLoop | None, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._expired = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        assert self._loop is not None
        self._task = task
        self._cancelling = task.cancelling()
        # A turn later at the soonest, as asyncio's: what is there at once is not interrupted.
        self._timer = (
            self._loop.call_later(self._seconds, self._expire)
            if self._seconds > 0
            else self._loop.call_soon(self._expire)
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            await asyncio.sleep(0)
            raise TimeoutError from error

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()


def _end(wait: asyncio.Future[None]) -> None:
    if not wait.done():
        wait.set_result(None)


class VirtualClock:
    """`Clock` on a `VirtualLoop`; before the loop runs, it shows the loop's start.

    ``epoch_s`` is the wall-clock time (Unix seconds) at which the loop starts. A clock belongs to
    the first loop it is read in.
    """

    def __init__(self, epoch_s: float = 1_700_000_000.0) -> None:
        self._epoch_s = epoch_s
        self._loop: VirtualLoop | None = None

    def now(self) -> float:
        """The loop's time on the wall, Unix seconds."""
        loop = self._loop or self._bind()
        return self._epoch_s if loop is None else self._epoch_s + loop.now_s

    def monotonic(self) -> float:
        """Seconds since the loop was made."""
        loop = self._loop or self._bind()
        return 0.0 if loop is None else loop.now_s

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = self._loop or self._bind()
        assert loop is not None, "timers need a running loop"
        over: asyncio.Future[None] = asyncio.Future()
        timer = loop.call_later(seconds, _end, over)
        try:
            await over
        except asyncio.CancelledError:
            timer.cancel()
            raise

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Cancel the body and raise `TimeoutError` after virtual ``seconds``."""
        return _Timeout(self._loop or self._bind(), seconds)

    def call_later(self, seconds: float, call: Callable[[], object]) -> asyncio.TimerHandle:
        loop = self._loop or self._bind()
        assert loop is not None, "timers need a running loop"
        return loop.call_later(seconds, call)

    def step_wall_clock(self, by_s: float) -> None:
        """Let the wall clock jump, as time synchronisation does; monotonic time stays."""
        self._epoch_s += by_s

    def _bind(self) -> VirtualLoop | None:
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:  # no loop runs yet
            return None
        if not isinstance(running, VirtualLoop):
            raise TypeError(f"a VirtualClock needs a VirtualLoop, and this is a {type(running).__name__}")
        self._loop = running
        return running
