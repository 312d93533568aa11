"""One way to run an async test body on a fake (in virtual time) and on a real adapter (in real time)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from app.adapters.simulated.clock import VirtualLoop

Body = Callable[[], Coroutine[Any, Any, None]]


def run_virtually(body: Body) -> None:
    """Run ``body()`` where waiting costs no time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(body())


def run_really(body: Body) -> None:
    """Run ``body()`` on a plain event loop."""
    asyncio.run(body())
