"""``powerd farm whoami``: the account behind the farmer's key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TextIO

from app.adapters.substrate.farmer_account import Account, SubstrateFarmerAccount
from app.domain.errors import PowerdError
from app.domain.model import FarmId, NodeId
from app.entrypoints.terminal.tables import folded, folds, width_of_terminal
from app.entrypoints.wiring.container import Container


@dataclass(frozen=True, slots=True)
class _Person:
    """``fee_tft`` of one target: None where it is not known, where there is no node, or no endpoint that shows it."""

    account: Account
    farms: Sequence[FarmId]
    fee_tft: float | None

    @property
    def pays_for(self) -> int | None:
        return None if not self.fee_tft else int(self.account.free_tft / self.fee_tft)


def show_account(container: Container, out: TextIO, *, as_json: bool) -> None:
    """Print it; errors of the chain and of the key go to the caller."""
    person = asyncio.run(_look(container))
    key_type = container.settings().farmer.key_type
    account, fee = person.account, person.fee_tft
    if as_json:
        shown = {
            "account": account.address,
            "key_type": key_type,
            "twin": account.twin,
            "farms": list(person.farms),
            "balance_tft": account.free_tft,
            "fee_tft": fee,
            "pays_for": person.pays_for,
        }
        out.write(json.dumps(shown, indent=2) + "\n")
        return
    twin = "none on this chain: another key, key type (--key-type) or chain (--chain) is meant"
    pays = "" if person.pays_for is None else f", which pays for {person.pays_for:,} targets at {fee:g} TFT each"
    empty = "; send it some TFT, or it can set no target" if not account.free_tft else ""
    lines = [
        f"twin      {account.twin if account.twin is not None else twin}",
        f"farms     {', '.join(map(str, person.farms)) or 'none'}",
        f"balance   {account.free_tft:,.7g} TFT{pays if account.free_tft else empty}",
    ]
    width = width_of_terminal()
    out.write(f"account   {account.address} ({key_type})\n")  # whole, so that it can be copied
    out.writelines("\n".join(folded(line, width) if folds(out, width) else [line]) + "\n" for line in lines)


async def _look(container: Container) -> _Person:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(container.chain_client().close)
        who: SubstrateFarmerAccount = container.farmer_account()
        account = await who.look()
        farms: Sequence[FarmId] = []
        if account.twin is not None:
            farms = await container.farm_owners().farms_of(account.twin)
        return _Person(account, farms, await _fee(container, who, farms))


async def _fee(container: Container, who: SubstrateFarmerAccount, farms: Sequence[FarmId]) -> float | None:
    """The fee of a target for any of its nodes: it is the same for all nodes and owners."""
    nodes: Sequence[NodeId] = await container.farm_chain().farm_nodes(farms[0]) if farms else []
    try:
        return await who.fee_tft(nodes[0] if nodes else NodeId(1))
    except PowerdError:
        return None
