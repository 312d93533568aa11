"""Reads which twin owns a farm, and which farms a twin owns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.records import PALLET
from app.adapters.substrate.state import head_state, undecoded
from app.domain.model import FarmId, HeadKind, TwinId

if TYPE_CHECKING:
    from app.adapters.substrate.runtime import Runtime


class SubstrateFarmOwners:
    """Reads only; the client is the caller's to close."""

    def __init__(self, client: SubstrateClient) -> None:
        self._client = client

    async def owner(self, farm: FarmId) -> TwinId | None:
        """The twin that owns the farm; None where there is no such farm."""
        state = await head_state(self._client, HeadKind.BEST, lambda r: [_farm_key(r, farm)], undecoded)
        record = await self._client.decode(
            lambda: state.runtime.value(PALLET, "Farms", state.values.get(_farm_key(state.runtime, farm)))
        )
        return None if record is None else TwinId(record["twin_id"])

    async def farms_of(self, twin: TwinId) -> Sequence[FarmId]:
        """All farms of the twin. The chain has no index for that, so every farm is read, thousands a request."""
        counted = await head_state(self._client, HeadKind.BEST, lambda r: [r.key(PALLET, "FarmID")], undecoded)
        runtime = counted.runtime
        count = await self._client.decode(
            lambda: int(runtime.value(PALLET, "FarmID", counted.values.get(runtime.key(PALLET, "FarmID"))))
        )
        farms = [FarmId(number) for number in range(1, count + 1)]
        state = await head_state(
            self._client,
            HeadKind.BEST,
            lambda r: [_farm_key(r, farm) for farm in farms],
            lambda r, values: _owned(r, values, farms, twin),
        )
        return state.content


def _farm_key(runtime: Runtime, farm: FarmId) -> str:
    return runtime.key(PALLET, "Farms", farm)


def _owned(runtime: Runtime, values: Mapping[str, str], farms: Sequence[FarmId], twin: TwinId) -> list[FarmId]:
    # To decode a record takes a millisecond, so only records with the twin's id in their bytes are decoded.
    mark = int(twin).to_bytes(4, "little").hex()
    found = []
    for farm in farms:
        data = values.get(_farm_key(runtime, farm))
        if data is None or mark not in data:
            continue
        try:
            record = runtime.value(PALLET, "Farms", data)
        except ValueError:
            continue  # a farm that can't be read can't be claimed either; --farm names it
        if record["twin_id"] == twin:
            found.append(farm)
    return found
