"""Who this machine is on the chain."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.model import NodeIdentity


@runtime_checkable
class Identity(Protocol):
    """Looks the ids up."""

    async def identify(self) -> NodeIdentity:
        """Node, farm and twin id of this machine.

        Raises `ChainUnavailable` when it can't be asked now, `UnknownIdentity` when the chain
        knows no such node.
        """
        ...
