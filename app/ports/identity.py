"""The ids of this machine on the chain."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.model import NodeIdentity


@runtime_checkable
class Identity(Protocol):
    """Looks the ids up."""

    async def identify(self) -> NodeIdentity:
        """Node, farm and twin id of this machine.

        Raises `ChainUnavailable` or `IdentityUnavailable` when they are not known yet, `UnknownIdentity`
        when the chain has no such node.
        """
        ...
