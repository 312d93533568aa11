"""Runs a short task beside a wait: the shutdown writes a file while it waits for the chain."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


async def alongside(beside: Coroutine[Any, Any, None], main: Awaitable[Result], name: str) -> Result:
    """The result of ``main``, once both have ended. A cancellation ends both at once; ``name`` is the task's."""
    task = asyncio.create_task(beside, name=name)
    try:
        result = await main
    except asyncio.CancelledError:
        task.cancel()
        raise
    except BaseException:
        await task
        raise
    await task
    return result
