"""Private keys from mnemonics and derivation paths, as of Substrate's tools (``subkey``, wallets).

A mnemonic gives the same seed for both kinds of keys. sr25519 has soft and hard derivation, and a derived
key has no seed but 64 secret bytes. ed25519 has hard derivation only, from seed to seed (sp-core,
``ed25519.rs``: blake2b of "Ed25519HDKD", seed and chain code).
"""

from __future__ import annotations

import hashlib
import re

DEVELOPMENT_PHRASE = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
"""Substrate's development phrase. Its keys are public."""
SEED_HEX_DIGITS = 64


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
