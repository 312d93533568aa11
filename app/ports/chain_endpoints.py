"""The health of the chain's endpoints, of which the adapter uses one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from app.domain.model import EndpointTrouble


@runtime_checkable
class ChainEndpoints(Protocol):
    """The endpoints that the settings list."""

    async def troubles(self) -> Sequence[EndpointTrouble]:
        """The endpoints that do not work now. Each that did not work at the last call is tried first."""
        ...
