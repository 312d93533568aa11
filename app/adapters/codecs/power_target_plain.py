"""The fast path for a power-target event that is encoded exactly as Go encodes it.

Nine tenths of a payload are its type definitions. If they are known, and are those of the real producer, a
dozen bytes remain to read. Everything unusual is left to the full decoder (`power_target_plan`), so that only
one decoder decides what is valid.
"""

from __future__ import annotations

from app.adapters.codecs.power_target_plan import FLAGS, IDS, TARGET, FlatChange, Plan

TARGET_BYTES = {
    (False, False): b"\x00",
    (True, False): b"\x01\x01\x00",
    (False, True): b"\x02\x01\x00",
    (True, True): b"\x01\x01\x01\x01\x00",
}
"""The struct ``Power{IsUp, IsDown}``, with its end."""

_TAILS = {target + b"\x00": flags for flags, target in TARGET_BYTES.items()}
"""The rest of a payload after the number of the field Target."""

_ONE_BYTE_MAX = 0x7F
_FOUR_BYTES_LEAD = 0x100 - 4


def has_plain_types(plan: Plan) -> bool:
    """Whether the types are exactly those of Go's producer, so that `read_plain` can be used."""
    names = tuple(field.name for field in plan.event + plan.target)
    return names == (*IDS, TARGET, *FLAGS) and len(plan.target) == len(FLAGS)


def read_plain(payload: bytes, at: int) -> FlatChange | None:
    """The event whose fields begin at ``at``; ``None`` if it is not encoded as Go does."""
    farm = node = 0
    delta_to_target = 3
    try:
        if payload[at] == 1:
            farm = payload[at + 1]
            at += 2
            if farm > _ONE_BYTE_MAX:
                if farm < _FOUR_BYTES_LEAD:
                    return None
                start, at = at, at + 0x100 - farm
                farm = int.from_bytes(payload[start:at], "big")
            delta_to_target = 2
        if payload[at] == delta_to_target - 1:
            node = payload[at + 1]
            at += 2
            if node > _ONE_BYTE_MAX:
                if node < _FOUR_BYTES_LEAD:
                    return None
                start, at = at, at + 0x100 - node
                node = int.from_bytes(payload[start:at], "big")
            delta_to_target = 1
        if payload[at] != delta_to_target:
            return None
        flags = _TAILS[payload[at + 1 :]]
    except (IndexError, KeyError):
        return None
    return farm, node, flags[0], flags[1]


def uint_bytes(value: int) -> bytes:
    if value <= _ONE_BYTE_MAX:
        return value.to_bytes(1, "big")
    width = (value.bit_length() + 7) // 8
    return bytes((0x100 - width,)) + value.to_bytes(width, "big")
