"""The node's ids from ``registrar``; its farm from the settings, or from ``identityd``."""

from __future__ import annotations

from app.adapters.zbus import neighbours
from app.adapters.zbus.client import ZbusClient
from app.domain.errors import IdentityUnavailable, RetryableError
from app.domain.model import FarmId, NodeId, NodeIdentity, TwinId


class ZbusIdentity:
    """`Identity` over zbus. It does not wait for a registration in progress; the caller retries."""

    def __init__(self, client: ZbusClient, *, farm_id: FarmId | None, timeout_s: float) -> None:
        self._client = client
        self._farm_id = farm_id
        self._timeout_s = timeout_s

    async def identify(self) -> NodeIdentity:
        """Node and twin id from registrar. An id of 0 means that the node is not registered yet."""
        node = await self._id(neighbours.NODE_ID)
        twin = await self._id(neighbours.TWIN_ID)
        farm = self._farm_id or FarmId(await self._id(neighbours.FARM_ID))
        return NodeIdentity(NodeId(node), farm, TwinId(twin))

    async def _id(self, method: neighbours.RemoteMethod) -> int:
        try:
            number: int = await self._client.call(method, timeout_s=self._timeout_s)
        except RetryableError as error:
            raise IdentityUnavailable(f"waiting for {method.remote.module}: {error}") from error
        if not number:
            raise IdentityUnavailable(f"waiting for {method.remote.module}: {method} gave 0, which is no id")
        return number
