"""What may stand in a key file. Nothing here ever shows any of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

SEED_BYTES = 32
GO_KEY_BYTES = 64
"""Go keeps an ed25519 private key as the seed followed by the public key."""
WORD_COUNTS = (12, 15, 18, 21, 24)
"""How many words a mnemonic may have (BIP-39)."""

_HEX = re.compile(r"(?:0x)?([0-9a-fA-F]+)")
_URI = re.compile(r"(?P<phrase>[^/]*)(?P<path>(?://?[^/]+)*)(?:///(?P<password>.*))?", re.DOTALL)
_WORD = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The seed of a private key; of which kind (ed25519, sr25519) the settings say."""

    seed: bytes = field(repr=False)

    def __str__(self) -> str:
        return "SigningKey(hidden)"


@dataclass(frozen=True, slots=True)
class SecretUri:
    """A key as Substrate's tools write it: ``PHRASE//hard/soft///password``.

    ``phrase`` is a mnemonic, a seed in hex, or empty, which means Substrate's public development phrase.
    """

    phrase: str = field(repr=False)
    path: str = field(repr=False)
    password: str = field(repr=False)

    def __str__(self) -> str:
        return "SecretUri(hidden)"


def parse_key(content: bytes) -> SigningKey | SecretUri:
    """Read a key; ``ValueError`` says what is wrong, without the content.

    Accepted: 32 bytes in hex (the seed); 64 bytes in hex or raw (Go's ed25519 key: seed, then public
    key); a mnemonic; a derivation path, alone or behind a mnemonic or a seed in hex. Text may be
    surrounded by blanks, hex may begin with ``0x``, and the words may stand on several lines.
    """
    if len(content) == GO_KEY_BYTES and not content.isascii():
        return SigningKey(content[:SEED_BYTES])
    if not content.strip():
        raise ValueError("is empty")
    try:
        text = content.decode("ascii").strip()
    except UnicodeDecodeError:
        raise ValueError("holds no key") from None
    if digits := _HEX.fullmatch(text):
        return SigningKey(_seed_of_hex(digits[1]))
    return _uri(text)


def _seed_of_hex(digits: str) -> bytes:
    if len(digits) not in (2 * SEED_BYTES, 2 * GO_KEY_BYTES):
        raise ValueError(f"has {len(digits)} hex digits instead of {2 * SEED_BYTES} or {2 * GO_KEY_BYTES}")
    return bytes.fromhex(digits)[:SEED_BYTES]


def _uri(text: str) -> SecretUri:
    parts = _URI.fullmatch(text)
    if parts is None:
        raise ValueError("has a derivation path that is not understood; it is written //hard/soft")
    phrase, path, password = parts["phrase"].strip(), parts["path"].strip(), parts["password"] or ""
    words = phrase.split()
    digits = _HEX.fullmatch(phrase)
    if digits:
        return SecretUri(_seed_of_hex(digits[1]).hex(), path, password)
    if (len(words) == 1 or not all(map(_WORD.fullmatch, words))) and phrase:
        raise ValueError("holds no key")
    if words and len(words) not in WORD_COUNTS:
        counts = f"{', '.join(map(str, WORD_COUNTS[:-1]))} or {WORD_COUNTS[-1]}"
        raise ValueError(f"holds {len(words)} words, and a mnemonic has {counts}")
    return SecretUri(" ".join(words).lower(), path, password)
