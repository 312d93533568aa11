"""The port `ChainEndpoints`, from what the client has seen of its endpoints.

The endpoint in use shows its trouble by itself. The others get a small question when their pause is over.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.endpoint import Endpoint, Kind
from app.adapters.substrate.rpc_errors import EndpointFailed, RpcRefused
from app.adapters.substrate.state import state_at, undecoded
from app.domain.errors import WrongChain
from app.domain.model import EndpointTrouble, HeadKind


class SubstrateEndpoints:
    """`ChainEndpoints` of a client.

    Whether an endpoint brings extrinsics onto the chain cannot be tried. That trouble ends when an extrinsic
    succeeds through it, or half an hour after the last failure.
    """

    def __init__(self, client: SubstrateClient) -> None:
        self._client = client

    async def troubles(self) -> Sequence[EndpointTrouble]:
        """Each endpoint with trouble, with the last reason of every kind."""
        for endpoint in self._client.endpoints.others():
            if endpoint.troubles and endpoint.pause_until_s <= time.monotonic():
                await self._try(endpoint)
        endpoints = self._client.endpoints.all()
        return [EndpointTrouble(each.name, _reasons(each)) for each in endpoints if each.out(time.monotonic())]

    async def _try(self, endpoint: Endpoint) -> None:
        try:
            async with self._client.endpoints.visit(endpoint) as connection:
                state = await state_at(self._client, connection, None, HeadKind.BEST, lambda _: (), undecoded)
        except (EndpointFailed, RpcRefused, WrongChain) as error:
            endpoint.failed(Kind.ANSWERS, error.reason if isinstance(error, EndpointFailed) else str(error))
            return
        endpoint.succeeded(Kind.ANSWERS)
        if self._client.is_stale(state.head):
            endpoint.failed(Kind.HEAD, "its head is too old")
        else:
            endpoint.succeeded(Kind.HEAD)


def _reasons(endpoint: Endpoint) -> str:
    return "; ".join(f"it {kind.value}: {trouble.reason}" for kind, trouble in endpoint.troubles.items())
