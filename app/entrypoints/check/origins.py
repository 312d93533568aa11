"""The settings in force that differ from the defaults, and where each came from, without secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.adapters.files.key_file import looks_like_a_key
from app.adapters.redis.broker_url import parse_broker_url
from app.adapters.substrate.endpoint import name_of
from app.domain.errors import PermanentError
from app.entrypoints.settings.keys import keys
from app.entrypoints.settings.schema import Settings

Origins = Mapping[str, str]
"""By the path of the key: the file, the variable, or the command line."""


def given(settings: Settings, origins: Origins) -> Iterator[tuple[str, str, str]]:
    """Path, value and origin of each key that was given, in the order of the documentation."""
    for path, key in keys().items():
        if path in origins:
            yield path, _shown(path, key.of(settings)), origins[path]


def _shown(path: str, value: object) -> str:
    """The value without secrets: a URL or an argument of a hook may hold one, and a file name may be the key itself."""
    if path == "broker.url":
        try:
            return parse_broker_url(str(value)).name
        except PermanentError:
            return "(not shown)"
    if path == "chain.urls" and isinstance(value, tuple):
        return ", ".join(name_of(url) for url in value)
    if path.endswith(".key_file") and looks_like_a_key(str(value)):
        return "(not shown)"
    if path == "faults.hook_command" and isinstance(value, tuple) and len(value) > 1:
        return f"{value[0]} (arguments are not shown)"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
