"""Reads the settings: defaults, then the file, then the environment, then the command line."""

from __future__ import annotations

import difflib
import shlex
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from app.domain.errors import PermanentError
from app.entrypoints.settings import Section, Settings

PREFIX = "POWERD_"
NOT_SETTINGS = ("POWERD_CONFIG", "POWERD_TEST_", "POWERD_BENCH_")

WORDS_TRUE = ("true", "yes", "on", "1")
WORDS_FALSE = ("false", "no", "off", "0")


class SettingsError(PermanentError):
    """A setting is wrong; the text names file or variable, the key, and the remedy."""


def load_settings(path: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object]) -> Settings:
    """The settings in force; ``overrides`` has keys such as ``broker.url``. `SettingsError` if any is wrong."""
    tree: dict[str, Any] = {}
    if path is not None:
        tree = _read(path)
        _convert(tree, f"{path}: ")
    for key, variable, value in _from_environment(environ):
        _put(tree, key, value)
        _convert(tree, f"environment variable {variable}: ")
    for key, value in overrides.items():
        _put(tree, key, value)
    return _convert(tree, "command line: ")


def keys() -> dict[str, Any]:
    """All keys with their fields, in order: ``chain.timeout_s`` …"""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        if isinstance(field.type, type) and issubclass(field.type, Section):
            for inner in msgspec.structs.fields(field.type):
                found[f"{field.name}.{inner.name}"] = inner
        else:
            found[field.name] = field
    return found


def variable_of(key: str) -> str:
    """The environment variable that sets ``key``."""
    return PREFIX + key.replace(".", "_").upper()


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text()
    except FileNotFoundError as error:
        raise SettingsError(f"the settings file {path} does not exist; name another with --config") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file {path} can't be read: {error}") from error
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}; mend that line") from error
    _refuse_unknown(tree, path)
    return tree


def _refuse_unknown(tree: Mapping[str, Any], path: Path) -> None:
    known = keys()
    for key in _flat(tree):
        if key not in known:
            raise SettingsError(
                f"{path}: there is no setting {key}{_did_you_mean(key, known)}; see docs/configuration.md"
            )


def _flat(tree: Mapping[str, Any]) -> Iterator[str]:
    sections = {key.partition(".")[0] for key in keys() if "." in key}
    for name, value in tree.items():
        if name in sections and isinstance(value, dict):
            yield from (f"{name}.{key}" for key in value)
        elif name not in sections:
            yield name


def _did_you_mean(key: str, known: Mapping[str, Any] | list[str]) -> str:
    close = difflib.get_close_matches(key, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str, object]]:
    by_variable = {variable_of(key): (key, field) for key, field in keys().items()}
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable.startswith(NOT_SETTINGS):
            continue
        if variable not in by_variable:
            hint = _did_you_mean(variable, list(by_variable))
            raise SettingsError(f"the environment variable {variable} sets nothing{hint}; unset it or mend its name")
        key, field = by_variable[variable]
        try:
            yield key, variable, _parser(field.default, field.default_factory)(text)
        except ValueError as error:
            raise SettingsError(f"environment variable {variable}: {error}") from error


def _parser(default: object, factory: object) -> Callable[[str], object]:
    if default is msgspec.NODEFAULT and callable(factory):
        default = factory()
    if isinstance(default, bool):
        return _truth
    if isinstance(default, int | float):
        return type(default)
    if isinstance(default, tuple):
        return _words
    return str


def _truth(text: str) -> bool:
    if text.lower() in WORDS_TRUE:
        return True
    if text.lower() in WORDS_FALSE:
        return False
    raise ValueError(f"{text!r} is neither true nor false")


def _words(text: str) -> list[str]:
    """Split as a shell does; commas separate too (no command or URL of ours needs one)."""
    return shlex.split(text.replace(",", " "))


def _put(tree: dict[str, Any], key: str, value: object) -> None:
    section, _, name = key.rpartition(".")
    if section:
        tree.setdefault(section, {})[name] = value
    else:
        tree[name] = value


def _convert(tree: Mapping[str, Any], where: str) -> Settings:
    try:
        return msgspec.convert(tree, Settings)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$.")
        key = place.rstrip("`")
        raise SettingsError(
            f"{where}{key or 'settings'}: {message[:1].lower()}{message[1:]}; see docs/configuration.md"
        ) from error
