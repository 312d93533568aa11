"""The chain: the node's side, and the farmer's."""

from __future__ import annotations

from app.adapters.substrate.blocks import SubstrateBlocks
from app.adapters.substrate.chain import SubstrateChain
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.endpoint_health import SubstrateEndpoints
from app.adapters.substrate.farm_history import SubstrateFarmHistory
from app.adapters.substrate.farm_owners import SubstrateFarmOwners
from app.adapters.substrate.farm_view import SubstrateFarmView
from app.adapters.substrate.farmer_account import SubstrateFarmerAccount
from app.adapters.substrate.identity import SubstrateIdentity
from app.adapters.substrate.power_targets import SubstratePowerTargets
from app.adapters.substrate.signs_of_life import SubstrateSignsOfLife
from app.domain.measurements import ChainAnswered
from app.entrypoints.settings.key_files import NODE_CREDENTIAL, node_key
from app.entrypoints.settings.loading import SettingsError
from app.entrypoints.settings.schema import Settings
from app.ports.chain import ChainEndpoints
from app.ports.telemetry import Telemetry

CONNECT_S_MAX = 10.0
NEVER_S = float("inf")


def substrate_client(settings: Settings, telemetry: Telemetry) -> SubstrateClient:
    """One client for everything: its connection and the runtime's metadata are shared."""
    chain = settings.chain
    return chain.build(
        SubstrateClient,
        connect_timeout_s=min(chain.timeout_s, CONNECT_S_MAX),
        stale_head_s=chain.best_head_age_s_max or NEVER_S,
        stale_finalized_s=chain.finalized_head_age_s_max or NEVER_S,
        on_answer=lambda endpoint, took_s: telemetry.measure(ChainAnswered(endpoint, took_s)),
    )


def substrate_chain(settings: Settings, client: SubstrateClient) -> SubstrateChain:
    """The chain, with the node's key where there is one (without, it only reads)."""
    key_type = settings.identity.key_type
    return settings.chain.build(SubstrateChain, client=client, seed=node_key(settings), key_type=key_type)


def substrate_identity(settings: Settings, client: SubstrateClient) -> SubstrateIdentity:
    """This node's identity: looked up by its key, or checked against it."""
    identity = settings.identity
    key = node_key(settings) if identity.node_id else _needed_key(settings)
    return SubstrateIdentity(client, node_id=identity.node_id or None, seed=key, key_type=identity.key_type)


def substrate_endpoints(client: SubstrateClient) -> ChainEndpoints:
    return SubstrateEndpoints(client)


def substrate_node_account(settings: Settings, client: SubstrateClient) -> SubstrateFarmerAccount:
    key, key_type = _needed_key(settings), settings.identity.key_type
    return settings.chain.build(SubstrateFarmerAccount, client=client, seed=key, key_type=key_type)


def substrate_farmer_account(settings: Settings, client: SubstrateClient, key: bytes) -> SubstrateFarmerAccount:
    key_type = settings.farmer.key_type
    return settings.chain.build(SubstrateFarmerAccount, client=client, seed=key, key_type=key_type)


def substrate_power_targets(settings: Settings, client: SubstrateClient, key: bytes) -> SubstratePowerTargets:
    key_type = settings.farmer.key_type
    return settings.chain.build(SubstratePowerTargets, client=client, seed=key, key_type=key_type)


def _needed_key(settings: Settings) -> bytes:
    if (key := node_key(settings)) is None:
        raise SettingsError(
            "who is this node? Name its key file (identity.key_file, POWERD_IDENTITY_KEY_FILE, or the systemd "
            f"credential {NODE_CREDENTIAL}), or give identity.node_id"
        )
    return key
