"""The keys of the settings, one by one: what the file, the environment and the documentation share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from msgspec import Meta
from msgspec.structs import fields

from app.domain.errors import PermanentError
from app.entrypoints.settings import Settings
from app.entrypoints.settings_base import Section

PREFIX = "POWERD_"


class SettingsError(PermanentError):
    """A setting is wrong; the text names file or variable, the key, and the remedy, in one line."""

    def __init__(self, text: str) -> None:
        super().__init__("".join(char if char.isprintable() else repr(char)[1:-1] for char in text))


@dataclass(frozen=True, slots=True)
class Key:
    """A setting: ``timeout_s`` of section ``chain`` (of section "" at the top of the file)."""

    section: str
    name: str
    type: Any
    default: object

    @property
    def path(self) -> str:
        """How messages and the command line write it: ``chain.timeout_s``."""
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return PREFIX + self.path.replace(".", "_").upper()

    @property
    def metas(self) -> tuple[Meta, ...]:
        """Description and limits, as they stand in the struct."""
        return tuple(meta for meta in get_args(self.type)[1:] if isinstance(meta, Meta))

    @property
    def choices(self) -> tuple[str, ...]:
        """The values it may have, where these are listed."""
        base = get_args(self.type)[0] if get_origin(self.type) is Annotated else self.type
        return tuple(choice for choice in get_args(base) if isinstance(choice, str))


def keys() -> dict[str, Key]:
    """All keys by their paths, in the order of the structs."""
    found = []
    for field in fields(Settings):
        if is_section(field.type):
            found += [Key(field.name, inner.name, inner.type, inner.default) for inner in fields(field.type)]
        else:
            found.append(Key("", field.name, field.type, field.default))
    return {key.path: key for key in found}


def is_section(kind: object) -> bool:
    """Whether a field of the tree is a table of its own."""
    return isinstance(kind, type) and issubclass(kind, Section)


def did_you_mean(wrong: str, right: Iterable[str]) -> str:
    """A hint for a misspelt name, or nothing; a right key in the wrong section counts as well."""
    candidates = list(right)
    astray = [name for name in candidates if name.rpartition(".")[2] == wrong.rpartition(".")[2]]
    close = difflib.get_close_matches(wrong, candidates, n=1)
    if len(astray) == 1 and not (close and "." in close[0]):
        close = astray
    return f" (did you mean {close[0]}?)" if close else ""
