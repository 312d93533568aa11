"""How a storage item lies in storage: keys, defaults, and a fast way to read small values.

The library builds a key in 0.1 ms and reads a small value in 0.2 ms: too slow for a thousand nodes
at once. Where the metadata says that a map is keyed by u32 with Blake2_128Concat, or that a value
consists of u64, u32 and small enums only, the same is done here directly. What is fast is derived
from the metadata's own definition, so it is right for every runtime or it is not used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

TypeDefinition = dict[str, Any]
"""A type as V14 metadata defines it: ``{"primitive": "u32"}``, ``{"composite": …}``, …"""
Definitions = Callable[[str], TypeDefinition]
Read = Callable[[bytes, int], tuple[Any, int]]
"""Reads a value at an offset: value and the offset behind it."""

INTEGERS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}


@dataclass(frozen=True, slots=True)
class Layout:
    """One storage item. ``default`` is what an absent entry stands for (``0x…``), if anything."""

    prefix: bytes
    type_name: str
    blake2_concat_u32: bool
    default: str | None
    fast: Callable[[bytes], Any] | None

    @classmethod
    def of(
        cls,
        *,
        prefix: bytes,
        type_name: str,
        parameters: Sequence[str],
        hashers: Sequence[str],
        default: bytes | None,
        definition: Definitions,
    ) -> Layout:
        """From what the metadata says of the item."""
        read = _reader(type_name, definition)
        return cls(
            prefix=prefix,
            type_name=type_name,
            blake2_concat_u32=list(hashers) == ["Blake2_128Concat"]
            and definition(parameters[0]).get("primitive") == "u32",
            default=None if default is None else f"0x{default.hex()}",
            fast=None if read is None else _whole(read),
        )

    def u32_key(self, argument: int) -> str:
        """The key of one entry; only where `blake2_concat_u32`."""
        encoded = argument.to_bytes(4, "little")
        return f"0x{(self.prefix + hashlib.blake2b(encoded, digest_size=16).digest() + encoded).hex()}"


def _whole(read: Read) -> Callable[[bytes], Any]:
    def value(raw: bytes) -> Any:
        result, end = read(raw, 0)
        if end != len(raw):
            raise ValueError(f"0x{raw[:32].hex()} should have {end} bytes, and has {len(raw)}")
        return result

    return value


def _reader(type_name: str, definition: Definitions) -> Read | None:
    """A reader for the type, in the library's Python form; None when it holds anything else."""
    what = definition(type_name)
    if what.get("primitive") in INTEGERS:
        return _integer(INTEGERS[what["primitive"]])
    if "variant" in what:
        return _enum(what["variant"]["variants"], definition)
    if "composite" in what:
        return _struct(what["composite"]["fields"], definition)
    return None


def _integer(size: int) -> Read:
    def read(raw: bytes, at: int) -> tuple[int, int]:
        if at + size > len(raw):
            raise ValueError(f"0x{raw[:32].hex()} ends too early")
        return int.from_bytes(raw[at : at + size], "little"), at + size

    return read


def _struct(fields: Sequence[dict[str, Any]], definition: Definitions) -> Read | None:
    parts: list[tuple[str, Read]] = []
    for field in fields:
        read = _reader(f"scale_info::{field['type']}", definition)
        if read is None or not field.get("name"):
            return None
        parts.append((field["name"], read))

    def struct(raw: bytes, at: int) -> tuple[dict[str, Any], int]:
        value = {}
        for name, read in parts:
            value[name], at = read(raw, at)
        return value, at

    return struct


def _enum(variants: Sequence[dict[str, Any]], definition: Definitions) -> Read | None:
    """Variants with at most one field, and that without a name: ``'Up'`` or ``{'Down': 708}``."""
    contents: dict[int, tuple[str, Read | None]] = {}
    for variant in variants:
        read = None
        if variant["fields"]:
            first, *others = variant["fields"]
            read = _reader(f"scale_info::{first['type']}", definition)
            if others or read is None or first.get("name"):
                return None
        contents[variant["index"]] = (variant["name"], read)

    def enum(raw: bytes, at: int) -> tuple[Any, int]:
        if at >= len(raw):
            raise ValueError(f"0x{raw[:32].hex()} ends too early")
        if raw[at] not in contents:
            raise ValueError(f"0x{raw[:32].hex()} has no known variant at byte {at}")
        name, read = contents[raw[at]]
        if read is None:
            return name, at + 1
        value, at = read(raw, at + 1)
        return {name: value}, at

    return enum
