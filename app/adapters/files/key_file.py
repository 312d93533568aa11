"""Private keys from files that no other user can read, including systemd's credentials."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from string import hexdigits

from app.adapters.files.key_text import SecretUri, parse_key
from app.adapters.processes.exhausted import remedy_of
from app.domain.errors import PermanentError

__all__ = ["KeyFileAway", "KeyFileError", "SecretUri", "read_key", "read_seed"]

SIZE_MAX = 4096

OTHERS = stat.S_IRWXG | stat.S_IRWXO
OTHERS_OF_CREDENTIAL = OTHERS & ~stat.S_IRGRP
"""systemd may give its credentials mode 0440, when it lets the service's user in by an access list."""

REMEDY = (
    "write the 32-byte seed in hex into it (`subkey inspect` calls it the secret seed), or the words of its mnemonic"
)


KEY_FOR_A_NAME = (
    "the setting has the key itself instead of the name of its file; write the key into a file of mode 600, and "
    "name that file"
)
WORDS_MIN = 8
HEX_MIN = 32


class KeyFileError(PermanentError):
    """A key file that cannot be used. The text has its name and the remedy, and nothing of its content."""

    exit_code = 78
    """EX_CONFIG, as for a wrong setting: systemd does not restart the service."""


class KeyFileAway(KeyFileError):
    """The file is missing, or cannot be opened. A disk may be mounted late, so systemd restarts the service."""

    exit_code = 1


def read_key(path: Path, credentials: Path | None = None) -> SecretUri:
    """The key in the file. Raises `KeyFileError` if it is no key, or if other users can read the file.

    ``credentials`` is systemd's directory of this service's credentials, or None.
    """
    in_credentials = credentials is not None and path.parent == credentials
    content = _content(path, in_credentials=in_credentials)
    try:
        return parse_key(content)
    except ValueError as error:
        raise KeyFileError(f"the key file {path} {error}; {REMEDY}") from None


def read_seed(path: Path) -> bytes:
    """The seed in the file. Raises `KeyFileError` for a mnemonic or a derivation path too."""
    if (seed := read_key(path).seed) is None:
        raise KeyFileError(f"the key file {path} holds a mnemonic or a derivation path; write a seed in hex into it")
    return seed


def objection(found: os.stat_result, user: int, *, in_credentials: bool) -> str:
    """Why this key file must not be used, with a remedy (``{path}`` stands for its path); empty if it can be."""
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISREG(found.st_mode):
        return "is no regular file; name the file that holds the key"
    if found.st_uid not in (0, user):
        return f"belongs to another user ({found.st_uid}), who can read it; `chown {user} {{path}}`"
    if mode & (OTHERS_OF_CREDENTIAL if in_credentials else OTHERS):
        return f"has mode {mode:04o}, so that other users can read it; `chmod 600 {{path}}`"
    if found.st_size > SIZE_MAX:
        return f"has {found.st_size} bytes and is no key; {REMEDY}"
    return ""


def looks_like_a_key(text: str) -> bool:
    """Whether this file name looks like the key itself (hex or words, with or without a derivation path behind it).

    Then it must not be shown.
    """
    digits = text.partition("/")[0].strip().removeprefix("0x").removeprefix("0X")
    return len(text.split()) >= WORDS_MIN or (len(digits) >= HEX_MIN and all(each in hexdigits for each in digits))


def _content(path: Path, *, in_credentials: bool) -> bytes:
    try:
        # Without O_NONBLOCK, opening a pipe would wait until a program writes into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            problem = objection(os.fstat(descriptor), os.geteuid(), in_credentials=in_credentials)
            if problem:
                raise KeyFileError(f"the key file {path} {problem.format(path=path)}")
            return os.read(descriptor, SIZE_MAX)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        if looks_like_a_key(str(path)):
            raise KeyFileError(KEY_FOR_A_NAME) from None
        if not path.is_absolute():
            # The working directory decides what that is, so it does not come by itself, unlike a disk.
            raise KeyFileError(
                f"the key file {path} does not exist in {Path.cwd()}; give its whole path, or put the key there"
            ) from None
        raise KeyFileAway(f"the key file {path} does not exist; put the key there or name another file") from None
    except OSError as error:
        if looks_like_a_key(str(path)):
            raise KeyFileError(KEY_FOR_A_NAME) from None
        anothers = (
            f"it has to belong to user {os.geteuid()}, under whom this program runs: `chown {os.geteuid()} {path}`"
        )
        raise KeyFileAway(
            f"the key file {path} can't be read ({error.strerror}); {remedy_of(error, anothers)}"
        ) from None
