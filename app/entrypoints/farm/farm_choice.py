"""Finds out which farm the command is about, and which account owns it."""

from __future__ import annotations

from collections.abc import Sequence

from app.adapters.substrate.farmer_account import Account
from app.domain.errors import PermanentError, UnknownIdentity
from app.domain.model import FarmId, NodeIdentity
from app.entrypoints.settings.key_files import has_farmer_key, has_node_key
from app.entrypoints.wiring.container import Container


class NoFarmGiven(PermanentError):
    """The farm can't be determined."""


async def which_farm(container: Container) -> FarmId:
    """The farm of the command line or the settings, else that of the farmer's key, else that of this node."""
    identity = container.settings().identity
    if identity.farm_id:
        return FarmId(identity.farm_id)
    if has_key(container):
        return await _of_farmer(container)
    if identity.node_id or has_node_key(container.settings()):
        found: NodeIdentity = await container.identity().identify()
        return found.farm
    raise NoFarmGiven(
        "which farm? Name it (--farm ID, or identity.farm_id in the settings), or give the farmer's key (--key FILE, "
        "or farmer.key_file)"
    )


def has_key(container: Container) -> bool:
    """Whether a farmer's key was given, by the command line or the settings."""
    return bool(container.farmer_key.overridden) or has_farmer_key(container.settings())


async def _of_farmer(container: Container) -> FarmId:
    account = await container.farmer_account().look()
    if account.twin is None:
        raise no_twin(account)
    farms: Sequence[FarmId] = await container.farm_owners().farms_of(account.twin)
    if len(farms) == 1:
        return farms[0]
    if not farms:
        raise NoFarmGiven(f"the farmer's key is of account {account.address}, twin {account.twin}, which owns no farm")
    listed = ", ".join(map(str, farms))
    raise NoFarmGiven(f"which farm? Twin {account.twin} of the farmer's key has the farms {listed}; give --farm")


def no_twin(account: Account) -> UnknownIdentity:
    """The error for an account without a twin on the chain."""
    return UnknownIdentity(
        f"the farmer's key is of account {account.address}, which has no twin on this chain, so it owns no farm; use "
        "the farmer's own key (--key), of the right kind (--key-type), and the right network (--chain)"
    )
