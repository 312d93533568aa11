"""Skips values of an ``encoding/gob`` payload that are not needed.

Go skips unknown fields by their type definitions, for all types: recursive ones, nested ones, ones with counts
that no message could fill. Here a stack of iterators replaces Go's call stack. Each iterator yields the types
of the values to skip, one after the other. So depth costs only memory, and is bounded. The work is bounded too,
since every value takes at least a byte, except an empty struct at the end of a message.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, MutableMapping

from app.adapters.codecs.gob_reader import GobReader
from app.adapters.codecs.gob_types import (
    BOOL,
    BYTES,
    COMPLEX,
    FLOAT,
    INT,
    INTERFACE,
    STRING,
    UINT,
    USER_TYPE_MAX,
    USER_TYPE_MIN,
    Definition,
    elements,
    read_definition,
    struct_fields,
)

DEPTH_MAX = 10_000
"""How deep types and values can be nested (Go: the same limit, for types)."""

Types = MutableMapping[int, Definition]

_NUMBERS = {BOOL: 1, INT: 1, UINT: 1, FLOAT: 1, COMPLEX: 2}
_TEXTS = (BYTES, STRING)


def receive_type(reader: GobReader, type_id: int, types: Types, offset: int) -> Definition:
    """Read the definition of ``type_id``, which must be new; ``offset`` is for errors."""
    if not USER_TYPE_MIN <= type_id <= USER_TYPE_MAX:
        reader.fail(f"type id {type_id} can't be defined", offset)
    if type_id in types:
        reader.fail(f"type {type_id} is defined twice", offset)
    return read_definition(reader)


class SkipCheck:
    """Refuses types that cannot be skipped, at any depth.

    Go does so before it reads a value, even if the payload has no value of the type.
    """

    def __init__(self, reader: GobReader, types: Types) -> None:
        self._reader = reader
        self._types = types
        self._seen = set(range(BOOL, INTERFACE + 1))

    def check(self, type_id: int, offset: int) -> None:
        """Check the type and all types in it, each once; ``offset`` is for errors."""
        pending = [(type_id, offset, 1)]
        while pending:
            inner, at, depth = pending.pop()
            if depth > DEPTH_MAX:
                self._reader.fail(f"types nested deeper than {DEPTH_MAX}", at)
            if inner in self._seen:
                continue
            self._seen.add(inner)
            definition = self._types.get(inner)
            if definition is None:
                self._reader.fail(f"type {inner} is not defined", at)
            pending += [(part, where, depth + 1) for part, where in _parts(self._reader, definition)]


def _parts(reader: GobReader, definition: Definition) -> list[tuple[int, int]]:
    """The types in a type, each with the offset of its mention."""
    at = definition.offset
    if definition.array is not None:
        return [(definition.array[0], at)]
    if definition.map is not None:
        return [(part, at) for part in definition.map]
    if definition.slice is not None:
        return [(definition.slice, at)]
    if definition.struct is not None:
        for field in definition.struct:
            if not field.name:
                reader.fail("a field without a name", field.offset)
        return [(field.type_id, field.offset) for field in definition.struct]
    if not definition.marshaler:
        reader.fail("a definition that says nothing", at)
    return []


class Skipper:
    """Skips values, by definitions that `check_skippable` accepted."""

    def __init__(self, reader: GobReader, types: Types) -> None:
        self._reader = reader
        self._types = types
        self._known = ChainMap[int, Definition]({}, types)
        """Types defined inside values are recorded too, since none must be defined twice."""

    def skip(self, type_id: int) -> None:
        stack: list[Iterator[int]] = [iter((type_id,))]
        while stack:
            inner = next(stack[-1], None)
            if inner is None:
                stack.pop()
            elif inner in _NUMBERS:
                for _ in range(_NUMBERS[inner]):
                    self._reader.uint()
            elif inner in _TEXTS:
                self._reader.text()
            elif inner == INTERFACE:
                self._interface()
            else:
                stack.append(self._open(self._types[inner]))
                if len(stack) > DEPTH_MAX + 1:
                    self._reader.fail(f"values nested deeper than {DEPTH_MAX}")

    def _open(self, definition: Definition) -> Iterator[int]:
        """Begin a value that has values in it."""
        if definition.array is not None:
            return self._array(*definition.array)
        if definition.map is not None:
            return self._map(*definition.map)
        if definition.slice is not None:
            return self._sequence(definition.slice, self._reader.count())
        if definition.struct is not None:
            fields = definition.struct
            return (fields[number].type_id for number in struct_fields(self._reader, len(fields)))
        self._reader.text()
        return iter(())

    def _array(self, element: int, length: int) -> Iterator[int]:
        start = self._reader.position
        count = self._reader.uint()
        if count != length % (1 << 64):
            self._reader.fail(f"{count} elements of an array of {length}", start)
        return self._sequence(element, max(length, 0))

    def _sequence(self, element: int, count: int) -> Iterator[int]:
        return (element for _ in elements(self._reader, count))

    def _map(self, key: int, element: int) -> Iterator[int]:
        count = self._reader.count()
        empty = self._may_be_nothing(key) and self._may_be_nothing(element)
        for _ in range(count):
            if empty and self._reader.at_end():
                return
            yield key
            yield element

    def _may_be_nothing(self, type_id: int) -> bool:
        """Whether a value of this type can take no byte at the end of a message, as only structs can."""
        definition = self._types.get(type_id)
        return definition is not None and definition.is_struct

    def _interface(self) -> None:
        """The name of a type, perhaps definitions, a type id, a length, and the value."""
        reader = self._reader
        reader.text()
        while True:
            if reader.at_end():
                reader.next_message()
            start = reader.position
            type_id = reader.type_id()
            if type_id >= 0:
                break
            self._known[-type_id] = receive_type(reader, -type_id, self._known, start)
            if not reader.at_end():
                reader.uint()
        reader.text()
