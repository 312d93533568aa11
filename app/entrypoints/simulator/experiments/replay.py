"""The command line that repeats a run."""

from __future__ import annotations

import shlex
from dataclasses import fields

import msgspec

from app.entrypoints.simulator.input.planning import WorldRequest, settings_of, written

NOT_OPTIONS = ("given_farms", "settings", "only_faults", "seed")


def replay_line(request: WorldRequest) -> str:
    """The command line; it has only options that differ from the defaults."""
    return shlex.join(["powerd", "simulate", *world_words(request), "--seed", str(request.seed)])


def world_words(request: WorldRequest) -> list[str]:
    """The options without the seed."""
    default, words = WorldRequest(), []
    for name in (field.name for field in fields(request)):
        value = getattr(request, name)
        if name not in NOT_OPTIONS and value != getattr(default, name):
            text = str(value).removesuffix(".0") if isinstance(value, float) else str(value)
            words += [f"--{name.replace('_', '-')}", text]
    for key, value in request.settings.items():
        words += ["--set", f"{key}={_written(value)}"]
    if request.only_faults is not None:
        words += ["--only-faults", written(request.only_faults)]
    return words


def _written(value: object) -> str:
    """So that `settings_of` reads the same value; JSON's simple values and lists are TOML's."""
    if isinstance(value, str) and settings_of([f"x={value}"]) == {"x": value}:
        return value
    return msgspec.json.encode(value).decode()
