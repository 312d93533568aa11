"""Sets up farms with keys, so that a farmer and nodes can act on the dev chain from the start."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.adapters.simulated.farm_setup import add_farm, mac_of
from app.adapters.simulated.ledger import Ledger

SS58_FORMAT = 42
FARM_FILE = "farm.json"


@dataclass(frozen=True, slots=True)
class Account:
    """A key pair: the seed that makes it, and what the chain knows of it."""

    seed: bytes
    public_key: bytes
    address: str

    @classmethod
    def derive(cls, seed_text: str, name: str, key_type: str) -> Account:
        """The key of this text and name, always the same."""
        return cls.of(hashlib.blake2b(f"{seed_text}/{name}".encode(), digest_size=32).digest(), key_type)

    @classmethod
    def of(cls, seed: bytes, key_type: str) -> Account:
        from app.adapters.substrate.library import Keypair, KeypairType

        kind = KeypairType.ED25519 if key_type == "ed25519" else KeypairType.SR25519
        pair = Keypair.create_from_seed(seed, ss58_format=SS58_FORMAT, crypto_type=kind)
        return cls(seed, pair.public_key, pair.ss58_address)


@dataclass(frozen=True, slots=True)
class DevFarm:
    """One farm of the dev chain; nodes are in the order of their ids."""

    id: int
    farmer: Account
    node_ids: tuple[int, ...]
    twins: tuple[int, ...]
    nodes: tuple[Account, ...]


def set_up_farm(ledger: Ledger, nodes: int, seed_text: str) -> DevFarm:
    """A farmer (sr25519) and its nodes (ed25519, as Zero-OS has them)."""
    farmer = Account.derive(seed_text, "farmer", "sr25519")
    accounts = tuple(Account.derive(seed_text, f"node-{number + 1}", "ed25519") for number in range(nodes))
    farm, ids = add_farm(ledger, farmer.public_key, [account.public_key for account in accounts])
    twins = tuple(int(ledger.read("TwinIdByAccountID", account.public_key)) for account in accounts)
    return DevFarm(farm, farmer, ids, twins, accounts)


def write_keys(farm: DevFarm, directory: Path, urls: Sequence[str]) -> None:
    """Write ``farmer.key``, ``node-N.key`` (hex seeds, mode 0600), and ``farm.json`` with their ids."""
    directory.mkdir(parents=True, exist_ok=True)
    about: dict[str, Any] = {
        "url": urls[0],
        "urls": list(urls),
        "farm_id": farm.id,
        "farmer": _write(directory / "farmer.key", farm.farmer),
        "nodes": [
            {
                "id": node,
                "twin_id": twin,
                "mac": str(mac_of(farm.id, node)),
                **_write(directory / f"node-{node}.key", account),
            }
            for node, twin, account in zip(farm.node_ids, farm.twins, farm.nodes, strict=True)
        ],
    }
    beside = directory / (FARM_FILE + ".new")
    beside.write_text(json.dumps(about, indent=2) + "\n")
    beside.replace(directory / FARM_FILE)


def _write(path: Path, account: Account) -> dict[str, str]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(account.seed.hex() + "\n")
    path.chmod(0o600)
    return {"key_file": str(path), "address": account.address}
