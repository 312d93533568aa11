"""Makes the adapters of the farmer's commands. Imports stand inside, as in `app.entrypoints.wiring.adapters`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.entrypoints.settings.key_files import farmer_key
from app.entrypoints.settings.schema import Settings

if TYPE_CHECKING:
    from app.adapters.substrate.chain import SubstrateChain
    from app.adapters.substrate.client import SubstrateClient
    from app.adapters.substrate.farm_history import SubstrateFarmHistory
    from app.adapters.substrate.farm_owners import SubstrateFarmOwners
    from app.adapters.substrate.farm_view import SubstrateFarmView
    from app.adapters.substrate.farmer_account import SubstrateFarmerAccount
    from app.adapters.substrate.power_targets import SubstratePowerTargets


def substrate_reader(client: SubstrateClient) -> SubstrateChain:
    """The chain without a key."""
    from app.adapters.substrate.chain import SubstrateChain

    return SubstrateChain(client)


def substrate_farm_view(client: SubstrateClient) -> SubstrateFarmView:
    """A whole farm, for the farmer."""
    from app.adapters.substrate.farm_view import SubstrateFarmView

    return SubstrateFarmView(client)


def substrate_farm_history(client: SubstrateClient) -> SubstrateFarmHistory:
    """What happened to a farm's nodes."""
    from app.adapters.substrate.farm_history import SubstrateFarmHistory

    return SubstrateFarmHistory(client)


def substrate_farm_owners(client: SubstrateClient) -> SubstrateFarmOwners:
    from app.adapters.substrate.farm_owners import SubstrateFarmOwners

    return SubstrateFarmOwners(client)


def substrate_farmer_account(settings: Settings, client: SubstrateClient) -> SubstrateFarmerAccount:
    """Who the farmer's key is on the chain."""
    from app.adapters.substrate.farmer_account import SubstrateFarmerAccount

    return SubstrateFarmerAccount(client, seed=farmer_key(settings), key_type=settings.farmer.key_type)


def substrate_power_targets(settings: Settings, client: SubstrateClient) -> SubstratePowerTargets:
    """The farmer's side, with the farmer's key."""
    from app.adapters.substrate.power_targets import SubstratePowerTargets

    return SubstratePowerTargets(
        client,
        seed=farmer_key(settings),
        key_type=settings.farmer.key_type,
        inclusion_timeout_s=settings.chain.inclusion_timeout_s,
        era_blocks=settings.chain.era_blocks,
    )
