"""A status server that can be unusable, or lose its socket."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.errors import StatusNotServed
from app.domain.status import NodeStatus


class SimulatedStatusServer:
    """`StatusServer`; ``unusable`` says why it can't be opened, or nothing."""

    def __init__(self) -> None:
        self.unusable = ""
        self._answer: Callable[[], NodeStatus] | None = None

    async def open(self, answer: Callable[[], NodeStatus]) -> None:
        if self.unusable:
            raise StatusNotServed(self.unusable)
        self._answer = answer

    def reachable(self) -> bool:
        return self._answer is not None

    async def close(self) -> None:
        self._answer = None

    def take_away(self) -> None:
        self._answer = None

    def ask(self) -> NodeStatus | None:
        """The status that a caller gets; None where the server is not open."""
        return None if self._answer is None else self._answer()
