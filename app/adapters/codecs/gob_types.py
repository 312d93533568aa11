"""Type definitions of Go's ``encoding/gob``, as values, and read from a payload.

A payload defines the types of its values, each with an id of 64 or more, which differs from process to
process. So no value can be read without the definitions. Go accepts a definition that says several things at
once, and so does `Definition`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.adapters.codecs.gob_reader import GobReader
from app.domain.values import value

BOOL, INT, UINT, FLOAT, BYTES, STRING, COMPLEX, INTERFACE = range(1, 9)
"""Ids of the predefined types."""

USER_TYPE_MIN = 64
USER_TYPE_MAX = (1 << 31) - 1

TYPE_NAMES = dict(enumerate(("bool", "int", "uint", "float", "bytes", "string", "complex", "interface"), start=BOOL))


@value
class Field:
    """A field of a struct; ``offset`` is the place of its definition in the payload."""

    name: bytes = b""
    type_id: int = 0
    offset: int = 0


@dataclass(slots=True)
class Definition:
    """One ``wireType``. Members that were not sent are ``None``."""

    array: tuple[int, int] | None = None
    """Element type, length."""
    slice: int | None = None
    """Element type."""
    struct: tuple[Field, ...] | None = None
    map: tuple[int, ...] | None = None
    """Key type, element type."""
    marshaler: bool = False
    """The type encodes itself, in bytes that only its own code can read."""
    offset: int = 0

    @property
    def is_struct(self) -> bool:
        """Whether a value to skip is a struct. Other members have priority."""
        return self.struct is not None and self.array is None and self.map is None and self.slice is None


_NAMED = (Field(b"Name", STRING), Field(b"Id", INT))

PREDEFINED_STRUCTS = {18: _NAMED, 21: _NAMED}
"""Types of gob's own definitions (``CommonType``, ``fieldType``), which a payload can use too."""


def struct_fields(reader: GobReader, count: int) -> Iterator[int]:
    """Numbers of the fields that were sent, of a struct with ``count``. The caller reads each before the next.

    A struct ends at a zero, or at the end of its message.
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
    """A definition of ``count`` type ids and nothing else."""
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
    """Iterations over ``count`` elements. The caller reads each before the next.

    Every element takes at least a byte, so the loop ends with the message, even if the count is huge.
    """
    for left in range(count, 0, -1):
        if reader.at_end():
            reader.fail(f"the message ends with {left} of {count} elements missing")
        yield


def _common(reader: GobReader) -> None:
    """Name and id of the type itself. They are not used, since the id before the definition counts."""
    _named(reader)


def _named(reader: GobReader) -> Field:
    name, type_id, start = b"", 0, reader.position
    for field in struct_fields(reader, 2):
        if field == 0:
            name = reader.text()
        else:
            type_id = reader.int32()
    return Field(name, type_id, start)
