"""Explains the libraries' errors about wrong settings (msgspec, tomllib) in plain words."""

from __future__ import annotations

import re
from collections.abc import Sequence

KINDS = {
    "str": "text in quotation marks",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list such as [1, 2]",
    "object": "a section or table",
    "date": "a date",
    "time": "a time",
    "datetime": "a date with time",
    "null": "nothing",
}

_KIND = re.compile(r"Expected `(\w+)`, got `(\w+)`")
_LIMIT = re.compile(r"Expected `(?:int|float)` (>=|<=|>|<) (\S+)")
_LENGTH = re.compile(r"Expected `(\w+)` of length (>=|<=) (\d+)")
_FORM = re.compile(r"Expected `str` matching regex (.+)")
FORMS = {"^(0x[0-9a-f]{64})?$": "0x and 64 digits of 0-9 and a-f, or empty"}
"""The patterns of the settings in words."""
QUOTES = "'\""
LIMITS = {">=": "{} or more", "<=": "{} or less", ">": "more than {}", "<": "less than {}"}


def type_problem(what: str, choices: Sequence[str]) -> str:
    """``Expected `int`, got `str` `` in words; ``choices`` are the values that the key may have, if they are listed."""
    if choices:
        return f"has to be one of {', '.join(choices)}"
    if found := _KIND.fullmatch(what):
        wanted, got = (KINDS.get(name, name) for name in found.groups())
        return f"has to be {wanted}, and is {got}"
    if found := _LIMIT.fullmatch(what):
        return f"has to be {LIMITS[found[1]].format(_short(found[2]))}"
    if found := _LENGTH.fullmatch(what):
        if found[1] == "str" and found[2] == ">=":
            return "must not be empty"
        if found[1] == "array" and found[3] == "1":
            return "has to have one entry at least"
        of_what = "entries" if found[1] == "array" else "characters"
        return f"has to have {found[3]} {of_what} at {'most' if found[2] == '<=' else 'least'}"
    if found := _FORM.fullmatch(what):
        return f"has to be {FORMS[found[1].strip(QUOTES)]}"
    return what[:1].lower() + what[1:]


def _short(number: str) -> str:
    value = float(number)
    return str(int(value)) if value.is_integer() else f"{value:g}"


TOML = (
    (r"Expected '=' after a key.*", "a name without a value; write NAME = VALUE"),
    (r"Expected '(\]\]?)' at the end of an? \w+ declaration", r"the name of a section ends with \1"),
    (r"Expected newline or end of document after a statement", "one setting a line; here is more behind it"),
    (r"Invalid initial character for a key part", "a name is wanted here, of letters, digits, _ and -"),
    (r"Invalid value", "no value that is understood; text stands in quotation marks, and it is true or false, not yes"),
    (r"Invalid statement", "neither NAME = VALUE nor [section]"),
    (r"Invalid date or datetime", "no such date; text stands in quotation marks"),
    (r"Unclosed array", "the list has no ] at its end"),
    (r"Unclosed inline table", "the table has no } at its end"),
    (r"Unterminated string|Expected ['\"]('|\"|'{3}|\"{3})['\"]", "the text has no quotation mark at its end"),
    (r"Unescaped '\\' in a string", r"\\ has to be written \\\\ here (or the text in single quotation marks)"),
    (r"Invalid hex value|Escaped character is not .*", r"\\ begins a character that does not exist"),
    (r"Cannot declare \((.*?),?\) twice", r"the section \1 is there already; put all its keys under one heading"),
    (r"(?:Cannot overwrite a value|Duplicate inline table key .*|Cannot redefine .*)", "it is set already, further up"),
    (r"Cannot mutate immutable namespace .*", "it is set already, further up"),
    (r"Expected ['\"](.*)['\"]", r"\1 is wanted here"),
    (r"(?:Illegal|Found invalid) character (.*)", r"the character \1 can't stand here; a text ends on its own line"),
)
"""What tomllib says, and what a reader of the file has to know."""

UNFINISHED = "the value is not finished: a ] or } is missing, or all of it"

_PLACE = re.compile(r"(.*) \((at .*)\)", re.DOTALL)


def toml_problem(error: str, text: str) -> str:
    """The error in the TOML, with line and column."""
    found = _PLACE.fullmatch(error)
    what, place = found.groups() if found else (error, "")
    lines = text.splitlines() or [""]
    if "end of document" in place:
        what = UNFINISHED if what == "Invalid value" else what
        place = f"at line {len(lines)}, column {len(lines[-1]) + 1}, the end of the file"
    for pattern, ours in TOML:
        if match := re.fullmatch(pattern, what, re.DOTALL):
            what = match.expand(ours)
            break
    return f"{what} ({place})" if place else what
