"""The power-target event of Zero-OS: Go's ``PowerTargetChangeEvent`` in ``encoding/gob``.

``PowerTargetChangeEvent{FarmID, NodeID uint32; Target Power{IsUp, IsDown bool}}``. A payload is made
by a fresh encoder: the definitions of both types, then one value. `decode` accepts and refuses as Go 1.25
does; `encode` gives the bytes of a fresh Go 1.25 process.

The definitions are the same in every payload of a producer, and are nine tenths of it. So they are compiled
once: `PowerTargetDecoder` remembers the heads of the payloads that it has read.
"""

from __future__ import annotations

from msgspec import Struct

from app.adapters.codecs.gob_reader import GobError, GobReader
from app.adapters.codecs.gob_skip import Types, receive_type
from app.adapters.codecs.power_target_plain import TARGET_BYTES, has_plain_types, read_plain, uint_bytes
from app.adapters.codecs.power_target_plan import ID_MAX, FlatChange, Plan, make_plan, read_event
from app.domain.values import value

__all__ = ["GobError", "PowerTargetDecoder", "TargetChange", "decode", "encode"]

PAYLOAD_BYTES_MAX = 1 << 18
"""Larger payloads are refused unread. An event takes some 120 bytes."""

HEADS_MAX = 64
HEAD_BYTES_MAX = 4096
"""How many heads of payloads are remembered, and their greatest length."""


class TargetChange(Struct, frozen=True):
    """The event as it was sent. Both flags, or none, may be set."""

    farm_id: int
    node_id: int
    is_up: bool
    is_down: bool


@value
class _Head:
    """The part of a payload before the fields of its value: definitions, length and type id of the value."""

    size: int
    end: int
    """The end of the value's message."""
    plan: Plan
    plain: bool
    """Whether `read_plain` can be used, for a payload that ends with the value."""


class PowerTargetDecoder:
    """Decodes payloads, and remembers the heads of those that it could decode."""

    def __init__(self) -> None:
        self._heads: dict[bytes, _Head] = {}
        self._sizes: tuple[int, ...] = ()
        """The sizes of the known heads, each once: one or two with usual payloads."""

    def decode(self, payload: bytes) -> TargetChange:
        """The event in ``payload``. Raises `GobError` where Go's decoder would refuse it."""
        for size in self._sizes:
            head = self._heads.get(payload[:size])
            if head is not None:
                break
        else:
            return TargetChange(*self._decode_all(payload))
        if head.plain and len(payload) == head.end:
            flat = read_plain(payload, head.size)
            if flat is not None:
                farm, node, is_up, is_down = flat
                return TargetChange(farm, node, is_up, is_down)
        return TargetChange(*self._decode_value(payload, head))

    def _decode_value(self, payload: bytes, head: _Head) -> FlatChange:
        _check_size(payload)
        if len(payload) < head.end:
            return self._decode_all(payload)
        return read_event(GobReader(payload, head.size, head.end), head.plan)

    def _decode_all(self, payload: bytes) -> FlatChange:
        _check_size(payload)
        reader = GobReader(payload)
        types, value_type = _read_types(reader)
        plan = make_plan(reader, types, value_type)
        head = _Head(reader.position, reader.end, plan, has_plain_types(plan))
        change = read_event(reader, plan)
        if head.size <= HEAD_BYTES_MAX:
            self._remember(payload[: head.size], head)
        return change

    def _remember(self, begins: bytes, head: _Head) -> None:
        if len(self._heads) >= HEADS_MAX:
            del self._heads[next(iter(self._heads))]
        self._heads[begins] = head
        self._sizes = tuple({known.size: None for known in self._heads.values()})


def _check_size(payload: bytes) -> None:
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise GobError(f"{len(payload)} bytes are no event; at most {PAYLOAD_BYTES_MAX} are read", 0)


def _read_types(reader: GobReader) -> tuple[Types, int]:
    """The definitions up to the value, and the value's type id."""
    types: Types = {}
    while True:
        reader.next_message()
        start = reader.position
        type_id = reader.type_id()
        if type_id >= 0:
            return types, type_id
        types[-type_id] = receive_type(reader, -type_id, types, start)
        if not reader.at_end():
            reader.fail("the message goes on after the definition")


decode = PowerTargetDecoder().decode
"""Decode one payload (see `PowerTargetDecoder`), with definitions remembered for the whole process."""


def encode(change: TargetChange) -> bytes:
    """The payload of a fresh Go 1.25 process, with type ids 64 and 65. Raises ``ValueError`` beyond uint32."""
    farm, node = change.farm_id, change.node_id
    if not (0 <= farm <= ID_MAX and 0 <= node <= ID_MAX):
        raise ValueError(f"farm {farm} and node {node}: each has to fit an unsigned number of 32 bits")
    target = TARGET_BYTES[change.is_up, change.is_down]
    if farm:
        head = b"\xff\x80\x01" + uint_bytes(farm)
        body = b"\x01" + uint_bytes(node) + b"\x01" if node else b"\x02"
    else:
        head = b"\xff\x80"
        body = b"\x02" + uint_bytes(node) + b"\x01" if node else b"\x03"
    value = head + body + target + b"\x00"
    return b"%b%c%b" % (_DEFINITIONS, len(value), value)


_DEFINITIONS = b"".join(
    (
        b"\x45\x7f\x03\x01\x01\x16PowerTargetChangeEvent\x01\xff\x80\x00",
        b"\x01\x03",
        b"\x01\x06FarmID\x01\x06\x00",
        b"\x01\x06NodeID\x01\x06\x00",
        b"\x01\x06Target\x01\xff\x82\x00",
        b"\x00\x00",
        b"\x27\xff\x81\x03\x01\x01\x05Power\x01\xff\x82\x00",
        b"\x01\x02",
        b"\x01\x04IsUp\x01\x02\x00",
        b"\x01\x06IsDown\x01\x02\x00",
        b"\x00\x00",
    )
)
"""Both types, 64 and 65; per line: message with the type's name and id, number of fields, fields, ends."""
