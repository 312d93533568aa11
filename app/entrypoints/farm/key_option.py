"""The farmer's key on the command line: the name of its file, ``-``, or the key itself."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from app.adapters.files.key_file import SIZE_MAX, KeyFileError, looks_like_a_key
from app.adapters.files.key_text import parse_key
from app.entrypoints.settings.key_files import secret_in

ASKED = "-"
PUBLIC = "//"
"""A derivation path alone is one of the public development keys: it needs no warning."""

REMEDY = "give the 32-byte seed in hex, the words of its mnemonic, or a derivation path"
SEEN = (
    "the key is on the command line, where every user of this machine can read it (ps), and it stays in the "
    "shell's history: write it into a file of mode 600 and name that, or say --key - and type it"
)


def key_file_of(given: str) -> Path | None:
    """The file that ``given`` names; None where it is `ASKED`, or the key itself."""
    if given == ASKED:
        return None
    path = Path(given)
    literal = given.startswith(PUBLIC) or looks_like_a_key(given)
    try:
        there = path.exists()
    except OSError:  # a mnemonic is too long for a name
        there = False
    return path if there or not literal else None


def secret_of_given(given: str, key_type: str) -> bytes:
    """The signer of the key itself, or of the key that is typed or piped in. Raises `KeyFileError`."""
    if given == ASKED:
        where, text = "the key from standard input", _asked()
    else:
        where, text = "the key of --key", given
        if not given.startswith(PUBLIC):
            click.echo(f"powerd: {SEEN}", err=True)
    try:
        return secret_in(parse_key(text.encode(errors="surrogateescape")), key_type)
    except ValueError as error:
        raise KeyFileError(f"{where} {error}; {REMEDY}") from None


def _asked() -> str:
    if sys.stdin.isatty():
        typed: str = click.prompt("The farmer's key (hex seed, mnemonic or derivation path)", hide_input=True, err=True)
        return typed
    return sys.stdin.read(SIZE_MAX)
