"""Type definitions of Go's ``encoding/gob``: what they say, and how a payload spells them.

A payload defines the types of its values itself, each under an id of 64 or more that is
different from process to process; so nothing may be read without going through the definitions.
Where a definition says more than one thing at once, so does `Definition`: Go accepts that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.adapters.codecs.gob_reader import GobReader

BOOL, INT, UINT, FLOAT, BYTES, STRING, COMPLEX, INTERFACE = range(1, 9)
"""Ids of the predefined types."""

USER_TYPE_MIN = 64
USER_TYPE_MAX = (1 << 31) - 1

TYPE_NAMES = dict(enumerate(("bool", "int", "uint", "float", "bytes", "string", "complex", "interface"), start=BOOL))


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a struct; ``offset`` tells where in the payload it was defined."""

    name: bytes = b""
    type_id: int = 0
    offset: int = 0


@dataclass(slots=True)
class Definition:
    """One ``wireType``: those of its members that were sent are not ``None``."""

    array: tuple[int, int] | None = None
    """Element type, length."""
    slice: int | None = None
    """Element type."""
    struct: tuple[Field, ...] | None = None
    map: tuple[int, ...] | None = None
    """Key type, element type."""
    marshaler: bool = False
    """The type writes itself, in bytes only its own code understands."""
    offset: int = 0

    @property
    def is_struct(self) -> bool:
        """Whether a value that is passed over is one of a struct: other members go first."""
        return self.struct is not None and self.array is None and self.map is None and self.slice is None


_NAMED = (Field(b"Name", STRING), Field(b"Id", INT))

PREDEFINED_STRUCTS = {18: _NAMED, 21: _NAMED}
"""Types of gob's own definitions (``CommonType``, ``fieldType``) that Go lets a payload use as well."""


def struct_fields(reader: GobReader, count: int) -> Iterator[int]:
    """Numbers of the fields that were sent, of a struct of ``count``; each is to be read before the next.

    A struct ends at a zero, or where its message ends.
    """
    number = -1
    while not reader.at_end():
        start = reader.position
        delta = reader.field_delta()
        if delta == 0:
            return
        number += delta
        if number >= count:
            reader.fail(f"field {number} of a struct that has {count}", start)
        yield number


def read_definition(reader: GobReader) -> Definition:
    """The definition at the reader's place, up to its end or the end of the message."""
    definition = Definition(offset=reader.position)
    for member in struct_fields(reader, 7):
        if member == 0:
            definition.array = _array(reader)
        elif member == 1:
            definition.slice = _type_ids(reader, 1)[0]
        elif member == 2:
            definition.struct = _struct(reader)
        elif member == 3:
            definition.map = _type_ids(reader, 2)
        else:
            definition.marshaler = True
            _type_ids(reader, 0)
    return definition


def _array(reader: GobReader) -> tuple[int, int]:
    element = length = 0
    for field in struct_fields(reader, 3):
        if field == 0:
            _common(reader)
        elif field == 1:
            element = reader.int32()
        else:
            length = reader.int64()
    return element, length


def _type_ids(reader: GobReader, count: int) -> tuple[int, ...]:
    """A definition that says no more than ``count`` type ids."""
    ids = [0] * count
    for field in struct_fields(reader, 1 + count):
        if field == 0:
            _common(reader)
        else:
            ids[field - 1] = reader.int32()
    return tuple(ids)


def _struct(reader: GobReader) -> tuple[Field, ...]:
    fields: tuple[Field, ...] = ()
    for field in struct_fields(reader, 2):
        if field == 0:
            _common(reader)
        else:
            fields = tuple(_named(reader) for _ in elements(reader, reader.uint()))
    return fields


def elements(reader: GobReader, count: int) -> Iterator[None]:
    """Turns of a loop over ``count`` elements, each to be read before the next.

    No element takes less than a byte: the loop ends with the message, however large the count.
    """
    for left in range(count, 0, -1):
        if reader.at_end():
            reader.fail(f"the message ends with {left} of {count} elements missing")
        yield


def _common(reader: GobReader) -> None:
    """Name and id of the type itself, which are not used: the id before the definition counts."""
    _named(reader)


def _named(reader: GobReader) -> Field:
    name, type_id, start = b"", 0, reader.position
    for field in struct_fields(reader, 2):
        if field == 0:
            name = reader.text()
        else:
            type_id = reader.int32()
    return Field(name, type_id, start)
