"""A time limit that works in a cancelled task too, on every Python that powerd runs on.

A stop cancels the daemon's tasks, and what a task does then has time limits of its own. Python 3.11.2,
which Debian 12 has, ends such a limit as `asyncio.CancelledError`, so that no handler of
`TimeoutError` runs: https://github.com/python/cpython/issues/102780.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class _Timeout(asyncio.Timeout):  # type: ignore[misc]  # final for type checkers only
    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._of = task
        self._before = task.cancelling()
        await super().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        if kind is asyncio.CancelledError and self.expired() and self._of.cancelling() <= self._before:
            raise TimeoutError from error


def timeout(seconds: float | None) -> asyncio.Timeout:
    """As `asyncio.timeout`: cancel the body after ``seconds``, or never, and raise `TimeoutError`."""
    return _Timeout(None if seconds is None else asyncio.get_running_loop().time() + seconds)
