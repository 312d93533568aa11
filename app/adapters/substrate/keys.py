"""The key that signs, its account, and its secret by a mnemonic or derivation path (``subkey``, wallets).

A mnemonic gives the same seed for both kinds of keys. sr25519 has soft and hard derivation, and a derived
key has no seed but 64 secret bytes. ed25519 has hard derivation only, from seed to seed (sp-core,
``ed25519.rs``: blake2b of "Ed25519HDKD", seed and chain code).
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

SEED_BYTES = 32
DERIVED_BYTES = 64
"""A derived sr25519 key has no seed: its secret is a scalar and a nonce."""
KEY_TYPES = ("ed25519", "sr25519")
"""A Zero-OS node signs with ed25519; farmers mostly with sr25519."""
GENERIC_ADDRESS = 42
DEVELOPMENT_PHRASE = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
"""Substrate's development phrase. Its keys are public."""
SEED_HEX_DIGITS = 64


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


def secret_of(phrase: str, path: str, password: str, key_type: str) -> bytes:
    """The secret for `SigningKey`: 32 bytes, or 64 for a derived sr25519 key. This loads the chain library.

    ``phrase`` is a mnemonic, a seed in hex, or empty. Raises ValueError, whose text has nothing of the key.
    """
    import sr25519

    from app.adapters.substrate.library import junctions_of

    seed = _seed(phrase, password)
    junctions = junctions_of(path)
    if key_type == "ed25519":
        for junction in junctions:
            if not junction.is_hard:
                raise ValueError("has a soft step (/name) in its path, and an ed25519 key has hard steps only (//name)")
            seed = hashlib.blake2b(b"\x2cEd25519HDKD" + seed + junction.chain_code, digest_size=32).digest()
        return seed
    if not junctions:
        return seed
    public, secret = sr25519.pair_from_seed(seed)
    for junction in junctions:
        derive = sr25519.hard_derive_keypair if junction.is_hard else sr25519.derive_keypair
        _, public, secret = derive((junction.chain_code, public, secret), b"")
    return bytes(secret)


def _seed(phrase: str, password: str) -> bytes:
    from bip39 import bip39_to_mini_secret

    if len(phrase) == SEED_HEX_DIGITS and " " not in phrase:
        if password:
            raise ValueError("has a password (///) after a seed in hex; only a mnemonic can have one")
        return bytes.fromhex(phrase)
    try:
        return bytes(bip39_to_mini_secret(phrase or DEVELOPMENT_PHRASE, password, "en"))
    except ValueError as error:
        # The library's message has the place of the word, counted from 0.
        place = re.search(r"invalid word in phrase with index (\d+)", str(error))
    if place:
        raise ValueError(f"holds a mnemonic whose word {int(place[1]) + 1} is not on the English list of BIP-39")
    raise ValueError(
        "holds a mnemonic whose checksum does not fit: a word is wrong, or the words are not in their order"
    )
