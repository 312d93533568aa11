"""The forms that a key file can have. No message of this module shows any of the content."""

from __future__ import annotations

import codecs
import re
from dataclasses import field

from app.domain.values import value

SEED_BYTES = 32
GO_KEY_BYTES = 64
"""Go keeps an ed25519 private key as the seed followed by the public key."""
WORD_COUNTS = (12, 15, 18, 21, 24)
"""How many words a mnemonic can have (BIP-39)."""

_HEX = re.compile(r"(?:0[xX])?([0-9a-fA-F]+)")
_URI = re.compile(r"(?P<phrase>[^/]*)(?P<path>(?://?[^/]+)*)(?:///(?P<password>.*))?", re.DOTALL)
_WORD = re.compile(r"[A-Za-z]+")
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060"))
_BLANK = re.compile(r"[^\S\n]")
_STRANGE = {
    "it has a line that begins with #, and a key file has no comments": re.compile(r"^\s*#", re.MULTILINE),
    "it is in quotes; remove them": re.compile("^[\"'`]|[\"'`]$"),
    "it is a key in PEM form (-----BEGIN …)": re.compile("^-----BEGIN"),
    "it is JSON": re.compile(r"^[{\[]"),
    "its hex digits have blanks or line ends between them": re.compile(
        r"^(?=.*\d)(?:0[xX])?\s*(?:[0-9a-fA-F]+\s+)+[0-9a-fA-F]+$", re.DOTALL
    ),
    "it has a name in front of the key (NAME=…, NAME: …)": re.compile(r"^[A-Za-z_][A-Za-z_ -]*\s*[=:]"),
    "a character after 0x is no hex digit": re.compile(r"^0[xX](?![0-9a-fA-F]+\s*/)"),
}
"""Common mistakes: message → pattern. No valid key matches one."""


@value
class SecretUri:
    """A key as Substrate's tools write it: ``PHRASE//hard/soft///password``.

    ``phrase`` is a mnemonic, a seed in hex, or empty, which means Substrate's public development phrase.
    """

    phrase: str = field(repr=False)
    path: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def seed(self) -> bytes | None:
        """The seed, if the key is nothing else."""
        plain = _HEX.fullmatch(self.phrase) is not None and not self.path and not self.password
        return bytes.fromhex(self.phrase) if plain else None

    def __str__(self) -> str:
        return "SecretUri(hidden)"


def parse_key(content: bytes) -> SecretUri:
    """Read a key. Raises ``ValueError`` with the reason, without the content.

    Accepted: 32 bytes in hex (the seed); 64 bytes in hex or raw (Go's ed25519 key: seed, then public
    key); a mnemonic; a derivation path, alone or after a mnemonic or a seed in hex. Also accepted are
    blanks around the text, ``0x`` before hex, words on several lines, and what editors add: a mark of
    UTF-8 at the beginning, and other kinds of blanks.
    """
    if len(content) == GO_KEY_BYTES and not content.removeprefix(codecs.BOM_UTF8).isascii():
        return SecretUri(content[:SEED_BYTES].hex())
    text = _plain(content)
    if not text:
        raise ValueError("is empty")
    if digits := _HEX.fullmatch(text):
        return SecretUri(_seed_of_hex(digits[1]))
    for what, found in _STRANGE.items():
        if found.search(text):
            raise ValueError(f"holds no key: {what}")
    return _uri(text)


def _plain(content: bytes) -> str:
    """The text in ASCII, without the characters that editors add."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError("holds no key: it is text in UTF-16; save it as UTF-8")
    try:
        text = _BLANK.sub(" ", content.decode("utf-8").translate(_INVISIBLE)).strip()
    except UnicodeDecodeError:
        raise ValueError("holds no key: its bytes are no text") from None
    if not text.isascii():
        line = next(number for number, each in enumerate(text.splitlines(), 1) if not each.isascii())
        raise ValueError(f"holds no key: a character in line {line} is not ASCII")
    return text


def _seed_of_hex(digits: str) -> str:
    if len(digits) not in (2 * SEED_BYTES, 2 * GO_KEY_BYTES):
        raise ValueError(f"has {len(digits)} hex digits instead of {2 * SEED_BYTES} or {2 * GO_KEY_BYTES}")
    return digits[: 2 * SEED_BYTES].lower()


def _uri(text: str) -> SecretUri:
    parts = _URI.fullmatch(text)
    if parts is None:
        raise ValueError("has a derivation path that powerd cannot read; write it as //hard/soft")
    phrase, path, password = parts["phrase"].strip(), parts["path"].strip(), parts["password"] or ""
    words = phrase.split()
    digits = _HEX.fullmatch(phrase)
    if digits:
        return SecretUri(_seed_of_hex(digits[1]), path, password)
    if (len(words) == 1 or not all(map(_WORD.fullmatch, words))) and phrase:
        raise ValueError("holds no key: it has other characters than letters, and is not hex")
    if words and len(words) not in WORD_COUNTS:
        counts = f"{', '.join(map(str, WORD_COUNTS[:-1]))} or {WORD_COUNTS[-1]}"
        raise ValueError(f"holds {len(words)} words, and a mnemonic has {counts}")
    return SecretUri(" ".join(words).lower(), path, password)
