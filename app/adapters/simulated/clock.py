"""Virtual time: an event loop whose clock jumps to the next timer whenever nothing is left to run.

An hour of waiting costs no time, and the order of everything that happens is the same in every run.
`VirtualLoop` has no file descriptors and no threads, so real I/O can't slip in: it would make runs
differ. Pytest runs async tests on it with the fixture
``anyio_backend = ("asyncio", {"loop_factory": VirtualLoop})``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NoReturn


class Deadlock(RuntimeError):
    """Everybody waits and no timer is set: in virtual time nothing can ever happen again."""


class _Idle:
    """Stands where a loop keeps its selector: instead of waiting for I/O, it moves the clock."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def select(self, timeout: float | None) -> list[object]:
        if timeout is None:
            raise Deadlock("deadlock in virtual time: every task waits, and no timer is set")
        self.now_s += timeout
        return []

    def close(self) -> None:
        """Nothing to let go of."""


class VirtualLoop(asyncio.BaseEventLoop):
    """An asyncio event loop in virtual time, which starts at 0 seconds.

    Raises `Deadlock` out of ``run_until_complete`` when nothing can run any more.
    """

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Idle()
        # asyncio runs timers due within the clock's resolution. A nanosecond, the real clock's, is
        # lost in rounding after half a year, and the loop would spin for ever on a timer due now.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._selector.now_s

    def run_in_executor(self, executor: object, func: Callable[..., Any], *args: Any) -> NoReturn:  # type: ignore[override]  # noqa: ARG002
        """Refuse: a thread lives in real time."""
        raise RuntimeError(f"{func!r} can't run in a thread: this event loop is in virtual time")

    def _process_events(self, event_list: list[object]) -> None:
        """Asked for by asyncio after each select; there is no I/O here."""

    def _write_to_self(self) -> None:
        """Asked for by asyncio to end a select early; ours never waits."""


@asynccontextmanager
async def _timeout(seconds: float) -> AsyncIterator[None]:
    """``asyncio.timeout``, and one turn of the loop after it struck.

    Python 3.11 tells no tracer of frames that are resumed by an exception, so a coverage report
    would miss what a service does next; the turn resumes them in the ordinary way.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        await asyncio.sleep(0)
        raise


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
        """Let virtual time pass."""
        self._bind()
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Cancel the body and raise `TimeoutError` after virtual ``seconds``."""
        self._bind()
        return _timeout(seconds)

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
