"""The place on this host where `powerd status` asks the daemon, also while Redis and the chain are away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from app.domain.status import NodeStatus


@runtime_checkable
class StatusServer(Protocol):
    """Answers with the status."""

    async def open(self, answer: Callable[[], NodeStatus]) -> None:
        """Answer from now on; raises `StatusNotServed`, with the reason."""
        ...

    def reachable(self) -> bool:
        """Whether it is open and can be found: another program may have removed the place."""
        ...

    async def close(self) -> None:
        """Answer no more, and leave nothing behind."""
        ...
