"""The key that signs, and its account."""

from __future__ import annotations

from typing import Any

SEED_BYTES = 32
DERIVED_BYTES = 64
"""A derived sr25519 key has no seed: its secret is a scalar and a nonce."""
KEY_TYPES = ("ed25519", "sr25519")
"""A Zero-OS node signs with ed25519; farmers mostly with sr25519."""
GENERIC_ADDRESS = 42


class SigningKey:
    """A 32-byte seed (or the 64 secret bytes of a derived sr25519 key) and its kind. No text shows the secret."""

    def __init__(self, seed: bytes, key_type: str) -> None:
        derived = len(seed) == DERIVED_BYTES and key_type == "sr25519"
        if len(seed) != SEED_BYTES and not derived:
            raise ValueError(f"a key's seed has {SEED_BYTES} bytes, and this one {len(seed)}")
        if key_type not in KEY_TYPES:
            raise ValueError(f"{key_type!r} is no key type; use one of {', '.join(KEY_TYPES)}")
        self._seed = seed
        self.key_type = key_type
        self._keypair: Any = None

    @property
    def keypair(self) -> Any:
        """The library's Keypair. This loads the chain library, so call it in the worker's thread."""
        if self._keypair is None:
            from app.adapters.substrate.library import Keypair, KeypairType

            kind = KeypairType.ED25519 if self.key_type == "ed25519" else KeypairType.SR25519
            if len(self._seed) == DERIVED_BYTES:
                import sr25519

                public = sr25519.public_from_secret_key(self._seed)
                self._keypair = Keypair(
                    public_key=public, private_key=self._seed, ss58_format=GENERIC_ADDRESS, crypto_type=kind
                )
            else:
                self._keypair = Keypair.create_from_seed(self._seed, crypto_type=kind, ss58_format=GENERIC_ADDRESS)
        return self._keypair

    @property
    def address(self) -> str:
        """The account's SS58 address. This loads the library."""
        return str(self.keypair.ss58_address)

    @property
    def account_id(self) -> bytes:
        """The account's 32 bytes. This loads the library."""
        return bytes(self.keypair.public_key)

    def __repr__(self) -> str:
        return f"SigningKey({self.key_type}, seed hidden)"
