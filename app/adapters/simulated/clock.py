"""Virtual time: an event loop whose clock jumps to the next timer when no task can run.

An hour of waiting costs no time, and the order of everything that happens is the same in every run.
`VirtualLoop` has no file descriptors and no threads, so real I/O can't slip in: it would make runs
differ. Pytest runs async tests on it with the fixture
``anyio_backend = ("asyncio", {"loop_factory": VirtualLoop})``.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from contextvars import Context, copy_context
from types import TracebackType
from typing import Any, NoReturn


class Deadlock(RuntimeError):
    """Every task waits and no timer is set, so that in virtual time no task would ever run again."""


class _Handle(asyncio.TimerHandle):
    """A callback that is due, and nothing else: asyncio's own handles ask their loop for its mode at each step."""

    __slots__ = ()

    def __init__(self, when: float, callback: Callable[..., Any], args: tuple[Any, ...], context: Context) -> None:
        self._when = when
        self._callback: Any = callback
        self._args: Any = args
        self._context = context
        self._cancelled = False
        self._repr = None
        self._scheduled = False

    def run(self) -> None:
        self._context.run(self._callback, *self._args)

    def cancel(self) -> None:
        self._cancelled = True
        self._callback = self._args = None


class VirtualLoop(asyncio.BaseEventLoop):
    """An asyncio event loop in virtual time, which starts at 0 seconds.

    Raises `Deadlock` out of ``run_until_complete`` when nothing can run any more. Timers that are due
    at the same moment run in the order in which they were set. Simulations spend a good part of their
    time here, so the timers are kept as tuples, which are compared faster than asyncio's handles, and
    the handles are as small as they can be. asyncio's debug mode finds nothing here.
    """

    _ready: deque[_Handle]
    _stopping: bool

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._timers: list[tuple[float, int, _Handle]] = []
        self._set = 0

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now_s

    def call_at(  # type: ignore[override]  # typeshed names arguments that no caller names
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = _Handle(when, callback, args, copy_context() if context is None else context)
        self._set += 1
        heapq.heappush(self._timers, (when, self._set, timer))
        return timer

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = _Handle(self._now_s, callback, args, copy_context() if context is None else context)
        self._ready.append(handle)
        return handle

    def run_in_executor(self, executor: object, func: Callable[..., Any], *args: Any) -> NoReturn:  # type: ignore[override]  # noqa: ARG002
        """Refuse, since a thread runs in real time."""
        raise RuntimeError(f"{func!r} can't run in a thread: this event loop is in virtual time")

    def _run_once(self) -> None:
        """One turn, as asyncio asks for it: move the clock if nothing is ready, then run what is."""
        ready, timers = self._ready, self._timers
        if not ready and not self._stopping:
            while timers and timers[0][2].cancelled():
                heapq.heappop(timers)
            if not timers:
                raise Deadlock("deadlock in virtual time: every task waits, and no timer is set")
            self._now_s = max(self._now_s, timers[0][0])
        while timers and timers[0][0] <= self._now_s:
            ready.append(heapq.heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                try:
                    handle.run()
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:  # noqa: BLE001 - what asyncio's own handles do
                    self.call_exception_handler({"message": "a callback failed", "exception": error, "handle": handle})

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
            self._loop.call_later(self._seconds, self._strike)
            if self._seconds > 0
            else self._loop.call_soon(self._strike)
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            await asyncio.sleep(0)
            raise TimeoutError from error

    def _strike(self) -> None:
        self._expired = True
        self._task.cancel()


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
        return self._epoch_s + self.monotonic()

    def monotonic(self) -> float:
        """Seconds since the loop was made."""
        loop = self._loop or self._bind()
        return 0.0 if loop is None else loop.time()

    async def sleep(self, seconds: float) -> None:
        if self._loop is None:
            self._bind()
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Cancel the body and raise `TimeoutError` after virtual ``seconds``."""
        return _Timeout(self._loop or self._bind(), seconds)

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
