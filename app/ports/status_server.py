"""The place where people on this host ask the daemon how it does, whatever becomes of Redis and of the chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from app.domain.status import NodeStatus


@runtime_checkable
class StatusServer(Protocol):
    """One place to ask at."""

    async def open(self, answer: Callable[[], NodeStatus]) -> None:
        """Answer from now on; raises `StatusNotServed`, with the reason."""
        ...

    def reachable(self) -> bool:
        """Whether it is open, and people still find it: the place may be taken away from outside."""
        ...

    async def close(self) -> None:
        """Answer no more, and leave nothing behind."""
        ...
