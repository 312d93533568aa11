"""The power-target event as Zero-OS writes it: Go's ``PowerTargetChangeEvent`` in ``encoding/gob``.

``PowerTargetChangeEvent{FarmID, NodeID uint32; Target Power{IsUp, IsDown bool}}``. A payload is made
by a fresh encoder: the definitions of both types, then one value. Decoding answers as Go 1.25 does,
accepting and refusing alike; encoding gives the bytes of a fresh Go 1.25 process.

The definitions are the same in every payload of a producer, and make up nine tenths of it. So they
are compiled once: `PowerTargetDecoder` remembers the beginnings of payloads it has read.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.adapters.codecs.gob_reader import GobError, GobReader
from app.adapters.codecs.gob_skip import Types, receive_type
from app.adapters.codecs.power_target_plain import TARGET_BYTES, KnownPrefix, read_plain, uint_bytes
from app.adapters.codecs.power_target_plan import ID_MAX, FlatChange, Plan, make_plan, read_event

__all__ = ["GobError", "PowerTargetDecoder", "TargetChange", "decode", "encode"]

PAYLOAD_BYTES_MAX = 1 << 20
"""Larger payloads are refused unread: an event takes some 120 bytes, and reading takes time."""

PREFIXES_MAX = 64
PREFIX_BYTES_MAX = 4096
"""Of payloads' beginnings, so many are remembered, none longer than that."""


@dataclass(frozen=True, slots=True)
class TargetChange:
    """The event as it was sent: nothing says that exactly one of the flags is set."""

    farm_id: int
    node_id: int
    is_up: bool
    is_down: bool


class PowerTargetDecoder:
    """Decodes payloads, and remembers the definitions of the last few producers."""

    def __init__(self) -> None:
        self._known: dict[bytes, KnownPrefix] = {}
        self._sizes: tuple[int, ...] = ()

    def decode(self, payload: bytes) -> TargetChange:
        """The event in ``payload``; `GobError` where Go's decoder would refuse it."""
        for size in self._sizes:
            known = self._known.get(payload[:size])
            if known is not None:
                flat = read_plain(payload, known) or self._read(payload, known)
                return TargetChange(*flat)
        return TargetChange(*self._read(payload, None))

    def _read(self, payload: bytes, known: KnownPrefix | None) -> FlatChange:
        if len(payload) > PAYLOAD_BYTES_MAX:
            raise GobError(f"{len(payload)} bytes are no event; at most {PAYLOAD_BYTES_MAX} are read", 0)
        reader = GobReader(payload, 0 if known is None else known.size)
        types: Types = {} if known is None else dict(known.plan.types)
        prefix_size, value_type = _read_types(reader, types)
        if known is not None and prefix_size == known.size and value_type == known.plan.value_type:
            return read_event(reader, known.plan)
        plan = make_plan(reader, types, value_type)
        change = read_event(reader, plan)
        self._remember(payload[:prefix_size], plan)
        return change

    def _remember(self, prefix: bytes, plan: Plan) -> None:
        if 0 < len(prefix) <= PREFIX_BYTES_MAX:
            if len(self._known) >= PREFIXES_MAX:
                del self._known[next(iter(self._known))]
            self._known[prefix] = KnownPrefix.of(len(prefix), plan)
            self._sizes = tuple(sorted({len(known) for known in self._known}, reverse=True))


def _read_types(reader: GobReader, types: Types) -> tuple[int, int]:
    """Read definitions into ``types`` up to the value; where its message begins, and its type id."""
    while True:
        message_start = reader.end
        reader.next_message()
        id_start = reader.position
        type_id = reader.type_id()
        if type_id >= 0:
            return message_start, type_id
        types[-type_id] = receive_type(reader, -type_id, types, id_start)
        if not reader.at_end():
            reader.fail("the message goes on after the definition")


decode = PowerTargetDecoder().decode
"""Decode one payload (see `PowerTargetDecoder`), with definitions remembered for the whole process."""


def encode(change: TargetChange) -> bytes:
    """The payload a fresh Go 1.25 process writes: type ids 64 and 65. ``ValueError`` beyond uint32."""
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
