"""Runs an async test body: in virtual time on simulated adapters, in real time on real ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from app.adapters.simulated.clock import VirtualLoop

Body = Callable[[], Coroutine[Any, Any, None]]


def run_virtually(body: Body) -> None:
    """Run ``body()`` in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(body())


def run_really(body: Body) -> None:
    """Run ``body()`` on a plain event loop."""
    asyncio.run(body())
