"""Explains msgspec's errors about a farm file, a table or a policy in plain words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

import msgspec

from app.entrypoints.settings.words import type_problem

_PLACE = re.compile(r"(.*?)(?: - at `\$\.?(.*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.+)`")
_MISSING = re.compile(r"Object missing required field `(.+)`")
HEADINGS = {"farm": "[[farm]] with an id", "node": "[[farm.node]] with an id, below its [[farm]],"}
"""Of a farm file, as a reader writes them."""
_GIVEN = re.compile(r", and is .*")


def problem_of(error: msgspec.ValidationError, known: Sequence[str], given: object = None) -> str:
    """The problem. ``known`` are the keys that can stand there; ``given`` is a value that was written as plain text."""
    found = _PLACE.fullmatch(str(error))
    what, place = (found[1], found[2] or "") if found else (str(error), "")
    if unknown := _UNKNOWN.fullmatch(what):
        near = difflib.get_close_matches(unknown[1], known, 1, cutoff=0.5)
        guess = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
        return f"there is no key {unknown[1]!r} here{guess}"
    if missing := _MISSING.fullmatch(what):
        return f"{HEADINGS.get(missing[1], missing[1])} is missing"
    said = type_problem(what, ())
    key = place.rpartition(".")[2]
    if key in HEADINGS and said.startswith("has to be a list"):
        return f"{key} is written as {HEADINGS[key].rstrip(',')}"
    return f"{key} {said}" if given is None else f"{key} {_GIVEN.sub('', said)}, and is {str(given)!r}"


def key_of(error: msgspec.ValidationError) -> str:
    """The key whose value is wrong; empty where the error is about a whole table."""
    found = re.search(r"`\$(?:.*\.)?(\w+)`$", str(error))
    return found[1] if found else ""
