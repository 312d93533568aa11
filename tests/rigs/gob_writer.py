"""Writes gob payloads that no Go program would write, to see what the codec makes of them."""

from __future__ import annotations

UINT, STRING, COMPLEX, INTERFACE = 3, 6, 7, 8
EVENT, TARGET, EXTRA = 64, 65, 66


def uint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    width = (value.bit_length() + 7) // 8
    return bytes((256 - width,)) + value.to_bytes(width, "big")


def number(value: int) -> bytes:
    return uint(2 * value if value >= 0 else 2 * ~value + 1)


def text(value: bytes) -> bytes:
    return uint(len(value)) + value


def message(content: bytes) -> bytes:
    return text(content)


def field(name: bytes, type_id: int) -> bytes:
    return b"\x01" + text(name) + b"\x01" + number(type_id) + b"\0"


def struct(*fields: tuple[bytes, int]) -> bytes:
    """A wireType of a struct, without ``fields`` of a struct that has none."""
    body = b"\x02" + uint(len(fields)) + b"".join(field(*each) for each in fields) if fields else b""
    return b"\x03" + body + b"\0\0"


def array(element: int, length: int) -> bytes:
    return b"\x01\x02" + number(element) + b"\x01" + number(length) + b"\0\0"


def slice_of(element: int) -> bytes:
    return b"\x02\x02" + number(element) + b"\0\0"


def map_of(key: int, element: int) -> bytes:
    return b"\x04\x02" + number(key) + b"\x01" + number(element) + b"\0\0"


GOB_ENCODER = b"\x05\0\0"


def definition(type_id: int, wire_type: bytes) -> bytes:
    return message(number(-type_id) + wire_type)


def value(content: bytes, type_id: int = EVENT) -> bytes:
    return message(number(type_id) + content)


def event_with_extra(wire_type: bytes, extra: bytes, *more: bytes) -> bytes:
    """An event of node 7 whose first field, X, has a type of its own; ``more`` definitions as needed."""
    types = definition(EVENT, struct((b"X", EXTRA), (b"NodeID", UINT))) + definition(EXTRA, wire_type)
    return types + b"".join(more) + value(b"\x01" + extra + b"\x01\x07\0")
