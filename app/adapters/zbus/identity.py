"""Who this node is, as ``registrar`` knows it; its farm from the settings, or from ``identityd``."""

from __future__ import annotations

from app.adapters.zbus import neighbours
from app.adapters.zbus.client import ZbusClient
from app.domain.errors import IdentityUnavailable, RetryableError
from app.domain.model import FarmId, NodeId, NodeIdentity, TwinId


class ZbusIdentity:
    """`Identity` over zbus. It does not wait: the caller tries again, for as long as registration takes."""

    def __init__(self, client: ZbusClient, *, farm_id: FarmId | None, timeout_s: float) -> None:
        self._client = client
        self._farm_id = farm_id
        self._timeout_s = timeout_s

    async def identify(self) -> NodeIdentity:
        """Node and twin from registrar; an id of 0 is none."""
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
