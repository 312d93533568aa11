"""A plan to read power-target events whose type definitions are known.

Go matches fields by name only. The order of the fields, fields of other names, and the names and ids of the
types do not matter. The plan checks the types of known fields, and that unknown fields can be skipped, before a
value is read. So one plan is used for all payloads that begin with the same definitions.
"""

from __future__ import annotations

from app.adapters.codecs.gob_reader import GobReader
from app.adapters.codecs.gob_skip import SkipCheck, Skipper, Types
from app.adapters.codecs.gob_types import BOOL, PREDEFINED_STRUCTS, TYPE_NAMES, UINT, Field, struct_fields
from app.domain.values import value

IDS = (b"FarmID", b"NodeID")
TARGET = b"Target"
FLAGS = (b"IsUp", b"IsDown")

ID_MAX = (1 << 32) - 1

FlatChange = tuple[int, int, bool, bool]
"""Farm, node, up, down."""


@value
class Plan:
    """The definitions of a payload, and which of them are the event and its target."""

    types: Types
    value_type: int
    event: tuple[Field, ...]
    target: tuple[Field, ...]


def make_plan(reader: GobReader, types: Types, value_type: int) -> Plan:
    """The plan for values of ``value_type``. The reader is at such a value, and is used for errors."""
    check = SkipCheck(reader, types)
    event = _struct_of(reader, types, value_type, reader.position)
    target: tuple[Field, ...] | None = None
    known = False
    for field in _named(reader, event):
        known = known or field.name in IDS or field.name == TARGET
        if field.name in IDS:
            _require(reader, field, UINT)
        elif field.name != TARGET:
            check.check(field.type_id, field.offset)
        elif (definition := types.get(field.type_id)) is not None and definition.marshaler:
            reader.fail("field Target writes itself in a form of its own", field.offset)
        elif target is None:  # a second field of that name is read like the first, as in Go
            target = _target(reader, types, field, check)
    if event and not known and value_type in types:
        reader.fail("not a power-target event: it has none of the fields FarmID, NodeID, Target")
    return Plan(types, value_type, event, target or ())


def _target(reader: GobReader, types: Types, asked: Field, check: SkipCheck) -> tuple[Field, ...]:
    fields = _struct_of(reader, types, asked.type_id, asked.offset)
    for field in _named(reader, fields):
        if field.name in FLAGS:
            _require(reader, field, BOOL)
        else:
            check.check(field.type_id, field.offset)
    return fields


def _struct_of(reader: GobReader, types: Types, type_id: int, offset: int) -> tuple[Field, ...]:
    definition = types.get(type_id)
    fields = PREDEFINED_STRUCTS.get(type_id) if definition is None else definition.struct
    if fields is None:
        known = definition is not None or type_id in TYPE_NAMES
        reader.fail(f"type {type_id} is {'no struct' if known else 'not defined'}", offset)
    return fields


def _named(reader: GobReader, fields: tuple[Field, ...]) -> tuple[Field, ...]:
    for field in fields:
        if not field.name:
            reader.fail("a field without a name", field.offset)
    return fields


def _require(reader: GobReader, field: Field, type_id: int) -> None:
    if field.type_id != type_id:
        got = TYPE_NAMES.get(field.type_id, f"type {field.type_id}")
        reader.fail(f"field {field.name.decode()} is {got}, not {TYPE_NAMES[type_id]}", field.offset)


def read_event(reader: GobReader, plan: Plan) -> FlatChange:
    """The event at the reader's place. Fields that were not sent are zero."""
    ids = dict.fromkeys(IDS, 0)
    flags = dict.fromkeys(FLAGS, False)
    skipper = Skipper(reader, plan.types)
    for number in struct_fields(reader, len(plan.event)):
        field = plan.event[number]
        if field.name in ids:
            ids[field.name] = _id(reader, field)
        elif field.name == TARGET:
            _read_flags(reader, plan.target, flags, skipper)
        else:
            skipper.skip(field.type_id)
    return ids[b"FarmID"], ids[b"NodeID"], flags[b"IsUp"], flags[b"IsDown"]


def _id(reader: GobReader, field: Field) -> int:
    start = reader.position
    value = reader.uint()
    if value > ID_MAX:
        reader.fail(f"{field.name.decode()} {value} does not fit 32 bits", start)
    return value


def _read_flags(reader: GobReader, fields: tuple[Field, ...], flags: dict[bytes, bool], skipper: Skipper) -> None:
    for number in struct_fields(reader, len(fields)):
        name = fields[number].name
        if name in flags:
            flags[name] = reader.uint() != 0
        else:
            skipper.skip(fields[number].type_id)
