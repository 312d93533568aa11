"""Finds the end of the first MessagePack value in bytes, and repairs its strings, to be as lenient as Go.

Go's reader ignores bytes after the first value, and a string can be any bytes. Format:
https://github.com/msgpack/msgpack/blob/master/spec.md. The values themselves are read by msgspec, which refuses
bytes that follow, and strings that are not UTF-8.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class NotMsgpack(ValueError):
    """The bytes are no MessagePack value, or end within one."""


_FIXED: Mapping[int, int] = {
    **dict.fromkeys((0xC0, 0xC2, 0xC3), 1),
    0xCA: 5,
    0xCB: 9,
    0xCC: 2,
    0xCD: 3,
    0xCE: 5,
    0xCF: 9,
    0xD0: 2,
    0xD1: 3,
    0xD2: 5,
    0xD3: 9,
    0xD4: 3,
    0xD5: 4,
    0xD6: 6,
    0xD7: 10,
    0xD8: 18,
}
"""Lead byte → bytes of the whole value."""

_SIZED: Mapping[int, tuple[int, int]] = {
    0xC4: (1, 0),
    0xC5: (2, 0),
    0xC6: (4, 0),
    0xC7: (1, 1),
    0xC8: (2, 1),
    0xC9: (4, 1),
    0xD9: (1, 0),
    0xDA: (2, 0),
    0xDB: (4, 0),
}
"""Lead byte → bytes of the length, and bytes between it and what is counted (the type of an extension)."""

_COUNTED: Mapping[int, tuple[int, int]] = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}
"""Lead byte → bytes of the count, and values per item."""

FIXMAP, FIXARRAY, FIXSTR, NIL, NEGATIVE = 0x80, 0x90, 0xA0, 0xC0, 0xE0
STR = (0xD9, 0xDA, 0xDB)
NEVER_USED = 0xC1


def first_value(data: bytes) -> bytes:
    """The bytes of the first value. Raises `NotMsgpack` if there is none, or it is cut."""
    end = 0
    missing = 1
    while missing:
        if end >= len(data):
            raise NotMsgpack("it is empty" if not data else f"it stops within a value, after {len(data)} bytes")
        size, inner = _head(data, end)
        end += size
        missing += inner - 1
    if end > len(data):
        raise NotMsgpack(f"it stops within a value, after {len(data)} bytes")
    return data[:end]


def with_readable_text(value: bytes) -> bytes:
    """The same value (whole, without bytes after it), with U+FFFD for bytes of its strings that are no UTF-8."""
    parts = []
    begin = 0
    while begin < len(value):
        end = begin + _head(value, begin)[0]
        parts.append(_readable(value[begin:end]))
        begin = end
    return b"".join(parts)


def _readable(part: bytes) -> bytes:
    lead = part[0]
    if FIXSTR <= lead < NIL:
        text = part[1:]
    elif lead in STR:
        text = part[1 + _SIZED[lead][0] :]
    else:
        return part
    return msgspec.msgpack.encode(text.decode("utf-8", "replace"))


def _head(data: bytes, at: int) -> tuple[int, int]:
    """How many bytes the value takes without the values in it, and how many those are."""
    lead = data[at]
    if lead < FIXMAP or lead >= NEGATIVE:
        return 1, 0
    if lead < FIXARRAY:
        return 1, 2 * (lead & 0x0F)
    if lead < FIXSTR:
        return 1, lead & 0x0F
    if lead < NIL:
        return 1 + (lead & 0x1F), 0
    if lead == NEVER_USED:
        raise NotMsgpack(f"the byte c1 at {at} begins no value")
    if lead in _FIXED:
        return _FIXED[lead], 0
    if lead in _SIZED:
        width, between = _SIZED[lead]
        return 1 + width + between + _number(data, at + 1, width), 0
    width, per_item = _COUNTED[lead]
    return 1 + width, per_item * _number(data, at + 1, width)


def _number(data: bytes, at: int, width: int) -> int:
    return int.from_bytes(data[at : at + width], "big")
