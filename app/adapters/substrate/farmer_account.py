"""The account of the farmer's key: who it is on the chain, and whether it can pay."""

from __future__ import annotations

from dataclasses import dataclass

from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.keys import SigningKey
from app.adapters.substrate.records import PALLET, account_key
from app.adapters.substrate.state import head_state
from app.domain.model import HeadKind, TwinId

UNITS_PER_TFT = 10_000_000


@dataclass(frozen=True, slots=True)
class Account:
    """``twin`` is None where the account has none; ``free_tft`` is what fees are paid from."""

    address: str
    twin: TwinId | None
    free_tft: float


class SubstrateFarmerAccount:
    """Of ``seed`` (see `SigningKey`)."""

    def __init__(self, client: SubstrateClient, *, seed: bytes, key_type: str) -> None:
        self._client = client
        self._key = SigningKey(seed, key_type)

    async def look(self) -> Account:
        """At the best head."""
        key = self._key
        account, address = await self._client.compute(lambda: (key.account_id, key.address))
        state = await head_state(
            self._client,
            HeadKind.BEST,
            lambda runtime: [runtime.key(PALLET, "TwinIdByAccountID", account), account_key(runtime, account)],
        )

        def read() -> Account:
            runtime, values = state.runtime, state.values
            twin_key = runtime.key(PALLET, "TwinIdByAccountID", account)
            twin = runtime.value(PALLET, "TwinIdByAccountID", values.get(twin_key))
            info = runtime.value("System", "Account", values.get(account_key(runtime, account)))
            return Account(address, TwinId(twin) if twin else None, info["data"]["free"] / UNITS_PER_TFT)

        return await self._client.decode(read)
