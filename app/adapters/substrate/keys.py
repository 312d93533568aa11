"""The key that signs, and the account it stands for."""

from __future__ import annotations

from typing import Any

SEED_BYTES = 32
KEY_TYPES = ("ed25519", "sr25519")
"""A Zero-OS node signs with ed25519; farmers mostly with sr25519."""
GENERIC_ADDRESS = 42


class SigningKey:
    """A 32-byte seed and its kind. Shows the address, never the secret."""

    def __init__(self, seed: bytes, key_type: str) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a key's seed has {SEED_BYTES} bytes, and this one {len(seed)}")
        if key_type not in KEY_TYPES:
            raise ValueError(f"{key_type!r} is no key type; use one of {', '.join(KEY_TYPES)}")
        self._seed = seed
        self.key_type = key_type
        self._keypair: Any = None

    @property
    def keypair(self) -> Any:
        """The library's Keypair. Loads the chain library: call it in the worker's thread."""
        if self._keypair is None:
            from app.adapters.substrate.library import Keypair, KeypairType

            kind = KeypairType.ED25519 if self.key_type == "ed25519" else KeypairType.SR25519
            self._keypair = Keypair.create_from_seed(self._seed, crypto_type=kind, ss58_format=GENERIC_ADDRESS)
        return self._keypair

    @property
    def address(self) -> str:
        """The account, as people and ``system_accountNextIndex`` write it. Loads the library."""
        return str(self.keypair.ss58_address)

    @property
    def account_id(self) -> bytes:
        """The account's 32 bytes. Loads the library."""
        return bytes(self.keypair.public_key)

    def __repr__(self) -> str:
        return f"SigningKey({self.key_type}, seed hidden)"
