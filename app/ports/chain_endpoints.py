"""How the chain's endpoints do, of which one is used at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from app.domain.model import EndpointTrouble


@runtime_checkable
class ChainEndpoints(Protocol):
    """The list from the settings."""

    async def troubles(self) -> Sequence[EndpointTrouble]:
        """Those that are out now, one entry for each; an endpoint that was out before is tried once more first."""
        ...
