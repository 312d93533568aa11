"""Reads the settings: defaults, then file, environment and command line. The last one wins."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from app.entrypoints.settings.checks import problems
from app.entrypoints.settings.environment import from_environment
from app.entrypoints.settings.keys import Key, SettingsError, did_you_mean, keys
from app.entrypoints.settings.schema import Settings
from app.entrypoints.settings.words import toml_problem, type_problem

__all__ = ["SettingsError", "load_settings", "load_with_origins"]


def load_settings(
    path: Path | None,
    environ: Mapping[str, str],
    overrides: Mapping[str, object],
    *,
    origin: str = "the command line",
) -> Settings:
    """The settings in force; ``overrides`` has keys such as ``broker.url``, and came from ``origin``.

    `SettingsError` if any is wrong.
    """
    return load_with_origins(path, environ, overrides, origin=origin)[0]


def load_with_origins(
    path: Path | None,
    environ: Mapping[str, str],
    overrides: Mapping[str, object],
    *,
    origin: str = "the command line",
) -> tuple[Settings, Mapping[str, str]]:
    """As `load_settings`, and for each key that was given (by its path) where its value came from."""
    given = _Given()
    if path is not None:
        given.file(path)
    for key, value in from_environment(environ):
        given.put(key, value, f"the environment variable {key.variable}")
    known = keys()
    for name, value in overrides.items():
        if name not in known:
            raise SettingsError(f"{origin} sets {name}, which is no setting{did_you_mean(name, known)}")
        given.put(known[name], value, origin)
    return given.settings(), given.origins


class _Given:
    """The given values, each with the place that it came from."""

    def __init__(self) -> None:
        self._tree: dict[str, Any] = {}
        self.origins: dict[str, str] = {}

    def file(self, path: Path) -> None:
        known = keys()
        sections = {key.section for key in known.values() if key.section}
        for name, value in _read(path).items():
            if name in sections and not isinstance(value, dict):
                raise SettingsError(f"{path}: {name} is a section; write [{name}], and its keys below")
            parts = {f"{name}.{key}": inner for key, inner in value.items()} if name in sections else {name: value}
            for key, inner in parts.items():
                if key not in known:
                    hint = did_you_mean(key, [*known, *sections])
                    raise SettingsError(f"{path}: there is no setting {key}{hint}; remove it or correct its name")
                self.put(known[key], inner, str(path))

    def put(self, key: Key, value: object, origin: str) -> None:
        section = self._tree.setdefault(key.section, {}) if key.section else self._tree
        section[key.name] = value
        self.origins[key.path] = origin

    def settings(self) -> Settings:
        try:
            settings = msgspec.convert(self._tree, Settings)
        except msgspec.ValidationError as error:
            # Such as: Expected `str`, got `int` - at `$.chain.urls[1]`. Unknown keys were refused before.
            what, _, place = str(error).rpartition(" - at `$.")
            path = place.rstrip("`").partition("[")[0]
            raise self._error(path, type_problem(what, keys()[path].choices)) from None
        for key, what in problems(settings):
            raise self._error(key, what)
        return settings

    def _error(self, path: str, what: str) -> SettingsError:
        """The given key is named: where a default does not go with it, the default is not to blame."""
        default = json.dumps(keys()[path].default)
        if path in self.origins:
            return SettingsError(
                f"{self.origins[path]}: {path}: {what}; fix it, or leave it out for the default {default}"
            )
        for given, origin in self.origins.items():
            if re.search(rf"(?<![\w.]){re.escape(given)}(?![\w.])", what):
                own = json.dumps(keys()[given].default)
                said = what.replace("; say ", f"; say {path} = ")
                return SettingsError(
                    f"{origin}: {given} does not go with {path}, whose default is {default}: {said}; fix one of them, "
                    f"or leave {given} out for its default {own}"
                )
        return SettingsError(f"the defaults: {path}: {what}; fix it")


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors write a byte order mark
    except FileNotFoundError:
        raise SettingsError(f"the settings file {path} does not exist; name another with --config") from None
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"the settings file {path} is not UTF-8 text ({error.reason} at byte {error.start})"
        ) from None
    except OSError as error:
        raise SettingsError(
            f"the settings file {path} can't be read ({error.strerror}); name another with --config, or let user "
            "and group of this program read it"
        ) from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what = toml_problem(str(error), text)
        raise SettingsError(f"{path} is not valid TOML: {what}; fix it there") from None
