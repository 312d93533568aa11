"""The account of the farmer's key: its twin, and what it can pay fees from."""

from __future__ import annotations

from typing import Any

from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.keys import SigningKey
from app.adapters.substrate.records import PALLET, account_key
from app.adapters.substrate.rpc import RpcConnection
from app.adapters.substrate.rpc_errors import EndpointFailed
from app.adapters.substrate.signing import Signer
from app.adapters.substrate.state import head_state, undecoded
from app.domain.model import HeadKind, NodeId, Power, TwinId
from app.domain.values import value

UNITS_PER_TFT = 10_000_000


@value
class Account:
    """An account. ``twin`` is None where it has none; ``free_tft`` is its balance for fees, in TFT."""

    address: str
    twin: TwinId | None
    free_tft: float


class SubstrateFarmerAccount:
    """The account of ``seed`` (see `SigningKey`)."""

    def __init__(self, client: SubstrateClient, *, seed: bytes, key_type: str, era_blocks: int = 16) -> None:
        self._client = client
        self._key = SigningKey(seed, key_type)
        self._signer = Signer(client, self._key, era_blocks)

    async def look(self) -> Account:
        key = self._key
        account, address = await self._client.compute(lambda: (key.account_id, key.address))
        state = await head_state(
            self._client,
            HeadKind.BEST,
            lambda runtime: [runtime.key(PALLET, "TwinIdByAccountID", account), account_key(runtime, account)],
            undecoded,
        )

        def read() -> Account:
            runtime, values = state.runtime, state.values
            twin_key = runtime.key(PALLET, "TwinIdByAccountID", account)
            twin = runtime.value(PALLET, "TwinIdByAccountID", values.get(twin_key))
            info = runtime.value("System", "Account", values.get(account_key(runtime, account)))
            return Account(address, TwinId(twin) if twin else None, info["data"]["free"] / UNITS_PER_TFT)

        return await self._client.decode(read)

    async def fee_tft(self, node: NodeId) -> float:
        """What the chain takes for setting this node's power target, now. It is signed for that, and not sent."""
        arguments = {"node_id": int(node), "power_target": Power.UP.value}

        async def question(connection: RpcConnection) -> float:
            _, signed = await self._signer.sign_by(connection, "change_power_target", lambda: arguments)
            answer = await connection.ask_for(dict[str, Any], "payment_queryInfo", signed.data)
            try:
                return int(answer["partialFee"]) / UNITS_PER_TFT
            except (KeyError, TypeError, ValueError):
                raise EndpointFailed(connection.name, "its answer to payment_queryInfo has no fee") from None

        return await self._client.ask(question)
