"""What may stand in a key file. Nothing here ever shows any of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

SEED_BYTES = 32
GO_KEY_BYTES = 64
"""Go keeps an ed25519 private key as the seed followed by the public key."""

_HEX = re.compile(rb"(?:0x)?([0-9a-fA-F]+)")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The seed of a private key; of which kind (ed25519, sr25519) the settings say."""

    seed: bytes = field(repr=False)

    def __str__(self) -> str:
        return "SigningKey(hidden)"


def parse_key(content: bytes) -> SigningKey:
    """Read a key; ``ValueError`` says what is wrong, without the content.

    Accepted: 32 bytes in hex (the seed), 64 bytes in hex or raw (Go's ed25519 key: seed, then
    public key). Hex may begin with ``0x`` and be surrounded by blanks.
    """
    text = content.strip()
    if not text:
        raise ValueError("is empty")
    if digits := _HEX.fullmatch(text):
        return SigningKey(_seed_of_hex(digits[1]))
    if len(content) == GO_KEY_BYTES and not content.isascii():
        return SigningKey(content[:SEED_BYTES])
    if text.startswith((b"/", b"0x")) or b" " in text:
        raise ValueError("holds a phrase or a derivation path, which is not understood")
    raise ValueError("holds no key")


def _seed_of_hex(digits: bytes) -> bytes:
    if len(digits) not in (2 * SEED_BYTES, 2 * GO_KEY_BYTES):
        raise ValueError(f"has {len(digits)} hex digits instead of {2 * SEED_BYTES} or {2 * GO_KEY_BYTES}")
    return bytes.fromhex(digits.decode())[:SEED_BYTES]
