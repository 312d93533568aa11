"""Endpoints whose trouble a test sets."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.model import EndpointTrouble


class SimulatedChainEndpoints:
    """`ChainEndpoints`: those in ``out``, by name, with the reason."""

    def __init__(self) -> None:
        self.out: dict[str, str] = {}

    async def troubles(self) -> Sequence[EndpointTrouble]:
        return [EndpointTrouble(name, reason) for name, reason in self.out.items()]
