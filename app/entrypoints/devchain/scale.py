"""Encodes values in SCALE by the type table.

scalecodec, which decodes calls and encodes the metadata here, doesn't know BoundedVec and wants each
one wrapped in a list of its own; values read better without, and this is what is hot in the dev chain.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.entrypoints.devchain.metadata import ARRAY, GENERIC
from app.entrypoints.devchain.pallet_table import Pallet
from app.entrypoints.devchain.type_table import TYPES, Choice, Fields, Struct

UNSIGNED = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "u128": 16}


def compact(number: int) -> bytes:
    """SCALE's compact form of an unsigned number."""
    if number < 1 << 6:
        return bytes([number << 2])
    if number < 1 << 14:
        return ((number << 2) | 1).to_bytes(2, "little")
    if number < 1 << 30:
        return ((number << 2) | 2).to_bytes(4, "little")
    size = (number.bit_length() + 7) // 8
    return bytes([((size - 4) << 2) | 3]) + number.to_bytes(size, "little")


def encode(kind: str, value: Any) -> bytes:
    """``value`` as ``kind``; ``KeyError`` or ``ValueError`` for a value that does not fit."""
    if kind in UNSIGNED:
        return int(value).to_bytes(UNSIGNED[kind], "little")
    if kind == "bool":
        return b"\x01" if value else b"\x00"
    if kind == "str":
        return _sequence("u8", value.encode())
    if kind in TYPES:
        return _named(TYPES[kind], value)
    if kind == "RuntimeEvent":
        return _event(value)
    if match := GENERIC.fullmatch(kind):
        return _generic(match[1], match[2], value)
    if match := ARRAY.fullmatch(kind):
        return _array(value, int(match[2]))
    raise KeyError(f"the dev chain encodes no {kind}")


def _generic(generic: str, inner: str, value: Any) -> bytes:
    if generic == "Option":
        return b"\x00" if value is None else b"\x01" + encode(inner, value)
    if generic == "Compact":
        return compact(value)
    return _sequence(inner, value)


def _sequence(inner: str, value: Any) -> bytes:
    if inner == "u8":
        data = value.encode() if isinstance(value, str) else bytes(value)
        return compact(len(data)) + data
    return compact(len(value)) + b"".join(encode(inner, element) for element in value)


def _array(value: Any, length: int) -> bytes:
    data = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)
    if len(data) != length:
        raise ValueError(f"{len(data)} bytes where {length} belong")
    return data


def _named(kind: Struct | Choice, value: Any) -> bytes:
    if isinstance(kind, Struct):
        return _fields(kind.fields, value)
    name, content = next(iter(value.items())) if isinstance(value, Mapping) else (value, None)
    index, fields = kind.variants[name]
    return bytes([index]) + _fields(fields, content)


def _fields(fields: Fields, value: Any) -> bytes:
    if not fields:
        return b""
    if "" in fields:
        return encode(fields[""], value)
    if "0" in fields:
        return b"".join(encode(kind, part) for kind, part in zip(fields.values(), value, strict=True))
    return b"".join(encode(kind, value[name]) for name, kind in fields.items())


def _event(value: tuple[Pallet, str, Any]) -> bytes:
    pallet, name, attributes = value
    index, fields = pallet.events[name]
    return bytes([pallet.index, index]) + _fields(fields, attributes)
