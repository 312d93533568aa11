"""The node's and the farmer's private keys: from files of the settings, or from systemd's credentials."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from app.entrypoints.settings.loading import SettingsError
from app.entrypoints.settings.schema import Settings

if TYPE_CHECKING:
    from app.adapters.files.key_text import SecretUri

NODE_CREDENTIAL = "node-key"
FARMER_CREDENTIAL = "farmer-key"


def node_key(settings: Settings) -> bytes | None:
    """The node's secret; None if no file is named. Raises `KeyFileError`."""
    path = _path(settings.identity.key_file, NODE_CREDENTIAL)
    return None if path is None else _secret(path, settings.identity.key_type)


def farmer_key(settings: Settings) -> bytes:
    """The farmer's secret. Raises `SettingsError` if no file is named, and `KeyFileError`."""
    path = _path(settings.farmer.key_file, FARMER_CREDENTIAL)
    if path is None:
        raise SettingsError(
            "no farmer's key: name its file (--key FILE, farmer.key_file, POWERD_FARMER_KEY_FILE, or the systemd "
            f"credential {FARMER_CREDENTIAL})"
        )
    return _secret(path, settings.farmer.key_type)


def has_farmer_key(settings: Settings) -> bool:
    return _path(settings.farmer.key_file, FARMER_CREDENTIAL) is not None


def has_node_key(settings: Settings) -> bool:
    return _path(settings.identity.key_file, NODE_CREDENTIAL) is not None


def _directory() -> Path | None:
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    return Path(directory) if directory else None


def _path(key_file: str, credential: str) -> Path | None:
    if key_file:
        return Path(key_file)
    directory = _directory()
    return directory / credential if directory and (directory / credential).exists() else None


def _secret(path: Path, key_type: str) -> bytes:
    from app.adapters.files.key_file import REMEDY, KeyFileError, read_key

    try:
        return secret_in(read_key(path, _directory()), key_type)
    except ValueError as error:
        raise KeyFileError(f"the key file {path} {error}; {REMEDY}") from None


def secret_in(key: SecretUri, key_type: str) -> bytes:
    """The secret to sign with. Raises ValueError, whose text has nothing of the key."""
    from app.adapters.substrate.keys import secret_of

    return key.seed or secret_of(key.phrase, key.path, key.password, key_type)
