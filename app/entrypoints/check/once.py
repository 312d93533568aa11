"""A read that several checks share: made once, when the first of them asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Once(Generic[Result]):
    """Each caller gets the one result, or the one error. A caller that is cancelled does not end the look."""

    def __init__(self, look: Callable[[], Coroutine[Any, Any, Result]]) -> None:
        self._look = look
        self._task: asyncio.Task[Result] | None = None

    async def __call__(self) -> Result:
        if self._task is None:
            self._task = asyncio.create_task(self._look(), name="shared look")
        return await asyncio.shield(self._task)

    async def end(self) -> None:
        """Cancel the read, if it still runs."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.exception()  # each caller that waited got the error
