"""Settings from environment variables: one for each key, whose text is read by the key's type."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from app.entrypoints.settings.keys import PREFIX, Key, SettingsError, did_you_mean_variable, keys

NOT_SETTINGS = frozenset({"POWERD_CONFIG"})
NOT_SETTINGS_PREFIXES = ("POWERD_TEST_", "POWERD_BENCH_")

TRUTH = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def from_environment(environ: Mapping[str, str]) -> Iterator[tuple[Key, object]]:
    """The keys that variables set, with their values. Raises `SettingsError` for an unknown variable."""
    by_variable = {key.variable: key for key in keys().values()}
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable in NOT_SETTINGS or variable.startswith(NOT_SETTINGS_PREFIXES):
            continue
        key = by_variable.get(variable)
        if key is None:
            hint = did_you_mean_variable(variable, by_variable.values())
            raise SettingsError(f"the environment variable {variable} sets nothing{hint}; unset it or correct its name")
        try:
            yield key, _value(key, text)
        except ValueError as error:
            raise SettingsError(f"the environment variable {variable} sets {key.path}: {error}; fix it") from error


def _value(key: Key, text: str) -> object:
    """The text as a value of the key's type. Its range is checked later."""
    if isinstance(key.default, bool):
        return _truth(text)
    if isinstance(key.default, int):
        return _number(text, int, "a whole number")
    if isinstance(key.default, float):
        return _number(text, float, "a number")
    if isinstance(key.default, tuple):
        return _command(text) if key.name.endswith("_command") else _list(text)
    if key.takes_list:
        items = _list(text)
        return items if len(items) > 1 else text
    return text


def _truth(text: str) -> bool:
    try:
        return TRUTH[text.strip().lower()]
    except KeyError:
        raise ValueError(f"{text!r} is neither true nor false") from None


def _number(text: str, kind: type[int | float], name: str) -> float:
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{text!r} is not {name}") from None


def _list(text: str) -> list[str]:
    return [item for item in text.replace(",", " ").split() if item]


def _command(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ValueError(f"{text!r} can't be split as a shell would ({error})") from None
