"""The list of all keys, for the settings file, the environment and the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, get_args, get_origin

from msgspec import Meta
from msgspec.structs import fields

from app.domain.errors import PermanentError
from app.entrypoints.settings.base import Section
from app.entrypoints.settings.schema import Settings

PREFIX = "POWERD_"

EX_CONFIG = 78
"""sysexits.h: "something was found in an unconfigured or misconfigured state". The units of systemd don't start
powerd again after it (RestartPreventExitStatus)."""


class SettingsError(PermanentError):
    """A setting is wrong. The text has file or variable, the key, and the remedy, in one line."""

    exit_code = EX_CONFIG

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
        """Its name in messages and on the command line: ``chain.timeout_s``."""
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def variable(self) -> str:
        return PREFIX + self.path.replace(".", "_").upper()

    @property
    def metas(self) -> tuple[Meta, ...]:
        """Description and limits, from the struct."""
        return tuple(meta for meta in get_args(self.type)[1:] if isinstance(meta, Meta))

    @property
    def takes_list(self) -> bool:
        """Whether it can be a text or a list of texts."""
        kinds = get_args(get_args(self.type)[0]) if get_origin(self.type) is Annotated else ()
        return any(get_origin(_plain(kind)) is tuple for kind in kinds)

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed values, if they are listed."""
        base = get_args(self.type)[0] if get_origin(self.type) is Annotated else self.type
        return tuple(choice for choice in get_args(base) if isinstance(choice, str))

    def of(self, settings: Settings) -> Any:
        return getattr(getattr(settings, self.section, settings), self.name)


def _plain(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


@cache
def keys() -> Mapping[str, Key]:
    """All keys by their paths, in the order of the structs. Read once: the structs' types take milliseconds."""
    found = []
    for field in fields(Settings):
        if is_section(field.type):
            found += [Key(field.name, inner.name, inner.type, inner.default) for inner in fields(field.type)]
        else:
            found.append(Key("", field.name, field.type, field.default))
    return MappingProxyType({key.path: key for key in found})


def is_section(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)


def did_you_mean(wrong: str, right: Iterable[str]) -> str:
    """A hint for a misspelt or misplaced key (``section.name``) or section, or nothing."""
    section = wrong.rpartition(".")[0]
    return _hint(_placed(path, section) for path in _meant(wrong, list(right)))


def did_you_mean_variable(wrong: str, right: Iterable[Key]) -> str:
    """The same for the name of an environment variable."""
    variables = {key.path: key.variable for key in right}
    text = wrong.removeprefix(PREFIX).lower()
    sections = {path.partition(".")[0] for path in variables if "." in path}
    section = max((each for each in sections if text.startswith(f"{each}_")), key=len, default="")
    path = f"{section}.{text.removeprefix(section)[1:]}" if section else text
    meant = _meant(path, list(variables))
    if not meant:
        close = _like(text, [path.replace(".", "_") for path in variables])
        meant = [path for path in variables if path.replace(".", "_") in close]
    return _hint(variables[path] for path in meant)


def _meant(wrong: str, candidates: Sequence[str]) -> Sequence[str]:
    """Keys that may be meant. More than a few are no hint.

    Looked for, in this order: a name like it in its own section; the same name in other sections; a
    name like it in other sections; a path like its own.
    """
    section, _, name = wrong.rpartition(".")
    homes: dict[str, list[str]] = {}
    for path in candidates:
        homes.setdefault(path.rpartition(".")[2], []).append(path)
    own = [path.rpartition(".")[2] for path in candidates if path.rpartition(".")[0] == section]
    if near := _like(name, own):
        return [f"{section}.{near[0]}" if section else near[0]]
    if name not in homes and not (near := _like(name, homes)):
        return _like(wrong, candidates)
    meant = homes[name] if name in homes else homes[near[0]]
    return meant if len(meant) <= MEANT_MAX else []


NEAR = 0.7
MEANT_MAX = 3


def _like(name: str, names: Iterable[str]) -> list[str]:
    import difflib  # a daemon, whose settings are right, does without

    return difflib.get_close_matches(name, list(names), n=1, cutoff=NEAR)


def _placed(path: str, section: str) -> str:
    """A key without a section that was written below one: in TOML everything below a heading belongs to it."""
    return f"{path}, above the first [section]" if section and "." not in path else path


def _hint(meant: Iterable[str]) -> str:
    text = " or ".join(meant)
    return f" (did you mean {text}?)" if text else ""
