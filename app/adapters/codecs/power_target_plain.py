"""The short way through a power-target event that is spelled just as Go spells it.

Nine tenths of a payload are its type definitions. Once those are known, and are those of the real
producer, a dozen bytes remain, which say little that can't be looked up. Whatever looks unusual is
left to the long way (`power_target_plan`), so there is one judge of what is right and wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.adapters.codecs.power_target_plan import FLAGS, IDS, TARGET, FlatChange, Plan

TARGET_BYTES = {
    (False, False): b"\x00",
    (True, False): b"\x01\x01\x00",
    (False, True): b"\x02\x01\x00",
    (True, True): b"\x01\x01\x01\x01\x00",
}
"""The struct ``Power{IsUp, IsDown}``, with its end."""

_TAILS = {target + b"\x00": flags for flags, target in TARGET_BYTES.items()}
"""What is left of a payload after the number of the field Target."""

_ONE_BYTE_MAX = 0x7F
_FOUR_BYTES_LEAD = 0x100 - 4


@dataclass(frozen=True, slots=True)
class KnownPrefix:
    """The first ``size`` bytes of a payload, all before the value's message, and what they come to."""

    size: int
    plan: Plan
    plain_id: bytes | None
    """How the value's type id is spelled; ``None`` when the types are not just what Go's producer has."""

    @classmethod
    def of(cls, size: int, plan: Plan) -> KnownPrefix:
        """Look whether the types are those of the producer."""
        names = tuple(field.name for field in plan.event + plan.target)
        plain = names == (*IDS, TARGET, *FLAGS) and len(plan.target) == len(FLAGS)
        return cls(size, plan, type_id_bytes(plan.value_type) if plain else None)


def read_plain(payload: bytes, known: KnownPrefix) -> FlatChange | None:
    """Farm, node, up, down; ``None`` when the value is not spelled as Go spells it."""
    at = known.size
    type_id = known.plain_id
    try:
        if type_id is None or payload[at] != len(payload) - at - 1 or not payload.startswith(type_id, at + 1):
            return None
        at += 1 + len(type_id)
        farm = node = 0
        delta_to_target = 3
        if payload[at] == 1:
            farm = payload[at + 1]
            at += 2
            if farm > _ONE_BYTE_MAX:
                if farm < _FOUR_BYTES_LEAD:
                    return None
                at, stop = at + 0x100 - farm, at
                farm = int.from_bytes(payload[stop:at], "big")
            delta_to_target = 2
        if payload[at] == delta_to_target - 1:
            node = payload[at + 1]
            at += 2
            if node > _ONE_BYTE_MAX:
                if node < _FOUR_BYTES_LEAD:
                    return None
                at, stop = at + 0x100 - node, at
                node = int.from_bytes(payload[stop:at], "big")
            delta_to_target = 1
        if payload[at] != delta_to_target:
            return None
        flags = _TAILS[payload[at + 1 :]]
    except (IndexError, KeyError):
        return None
    return farm, node, flags[0], flags[1]


def uint_bytes(value: int) -> bytes:
    """An unsigned number in the shortest form."""
    if value <= _ONE_BYTE_MAX:
        return value.to_bytes(1, "big")
    width = (value.bit_length() + 7) // 8
    return bytes((0x100 - width,)) + value.to_bytes(width, "big")


def type_id_bytes(type_id: int) -> bytes:
    """A type id in front of its value."""
    return uint_bytes(2 * type_id)
