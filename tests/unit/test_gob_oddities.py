"""Payloads that no Go program writes, and how Go's decoder answers them, by its source (encoding/gob, Go 1.25).

Each payload is decoded twice, so that the second time its definitions are known.
"""

from __future__ import annotations

import pytest

from app.adapters.codecs.gob_skip import DEPTH_MAX
from app.adapters.codecs.power_target import GobError, PowerTargetDecoder, TargetChange
from tests.rigs.gob_writer import (
    COMPLEX,
    EVENT,
    EXTRA,
    GOB_ENCODER,
    INTERFACE,
    STRING,
    TARGET,
    UINT,
    array,
    definition,
    event_with_extra,
    map_of,
    message,
    number,
    slice_of,
    struct,
    text,
    uint,
    value,
)

NODE_7 = TargetChange(0, 7, is_up=False, is_down=False)
NOTHING = TargetChange(0, 0, is_up=False, is_down=False)
POWER = struct((b"IsUp", 1), (b"IsDown", 1))
PAIR = struct((b"A", UINT), (b"B", UINT))


def decode(payload: bytes) -> TargetChange:
    decoder = PowerTargetDecoder()
    first = decoder.decode(payload)
    assert decoder.decode(payload) == first
    return first


def refusal(payload: bytes) -> str:
    with pytest.raises(GobError) as caught:
        PowerTargetDecoder().decode(payload)
    return caught.value.reason


@pytest.mark.parametrize(
    ("wire_type", "extra"),
    [
        (array(UINT, 2), b"\x02\x05\x06"),
        (array(COMPLEX, 1), b"\x01\x05\x06"),
        (array(UINT, 0), b"\0"),
        (array(UINT, -1), b"\xf8" + b"\xff" * 8),
        (map_of(STRING, UINT), b"\x02\x01a\x05\x01b\x06"),
        (slice_of(EXTRA), b"\x02\x00\x01\x00"),
        (slice_of(UINT), uint(2**63)),
        (map_of(UINT, UINT), uint(2**64 - 1)),
        (struct((b"Self", EXTRA)), b"\x01\x01\x00\x00\x00"),
        (GOB_ENCODER, text(b"anything")),
    ],
    ids=lambda part: part.hex(),
)
def test_unknown_fields_of_every_shape_are_passed_over(wire_type: bytes, extra: bytes) -> None:
    assert decode(event_with_extra(wire_type, extra)) == NODE_7


@pytest.mark.parametrize(
    ("wire_type", "extra", "reason"),
    [
        (array(UINT, 2), b"\x03\x05\x06\x07", "3 elements of an array of 2"),
        (array(UINT, -1), b"\x01\x05", "1 elements of an array of -1"),
        (map_of(UINT, UINT), b"\x7f", "ends where a number should be"),
        (slice_of(INTERFACE), b"\x01\x7f", "127 bytes are announced"),
        (GOB_ENCODER, b"\x7f", "127 bytes are announced"),
        (struct((b"", UINT)), b"\0", "a field without a name"),
        (b"\0", b"\0", "a definition that says nothing"),
        (slice_of(99), b"\0", "type 99 is not defined"),
        (map_of(UINT, 99), b"\0", "type 99 is not defined"),
        (b"\x02\x02" + number(2**31) + b"\0\0", b"\0", "2147483648 does not fit"),
    ],
    ids=lambda part: part if isinstance(part, str) else part.hex(),
)
def test_what_cannot_be_passed_over_is_refused(wire_type: bytes, extra: bytes, reason: str) -> None:
    assert reason in refusal(event_with_extra(wire_type, extra))


def test_of_several_members_of_a_definition_the_array_counts_for_an_unknown_field() -> None:
    both = b"\x01\x02" + number(UINT) + b"\x01" + number(1) + b"\0" + b"\x02" + b"\0" + b"\0"
    assert decode(event_with_extra(both, b"\x01\x05")) == NODE_7


def test_a_map_of_structs_has_as_many_pairs_as_it_claims_once_the_message_ended() -> None:
    types = definition(EVENT, struct((b"NodeID", UINT), (b"X", EXTRA)))
    types += definition(EXTRA, map_of(67, 67)) + definition(67, PAIR)
    assert decode(types + value(b"\x01\x07\x01" + uint(2**62) + b"\x01\x05\0")) == NODE_7


@pytest.mark.parametrize("type_id", [18, 21])
def test_goes_own_struct_types_are_taken_for_an_event_or_target_without_known_fields(type_id: int) -> None:
    assert decode(value(b"\x01\x01a\x01\x02\0", type_id)) == NOTHING
    types = definition(EVENT, struct((b"NodeID", UINT), (b"Target", type_id)))
    assert decode(types + value(b"\x01\x07\x01\x02\x02\0\0")) == NODE_7


def test_a_second_field_of_the_same_name_is_read_like_the_first() -> None:
    types = definition(EVENT, struct((b"Target", TARGET), (b"Target", 99))) + definition(TARGET, POWER)
    assert decode(types + value(b"\x01\x01\x01\0\x01\x02\x01\0\0")) == TargetChange(0, 0, is_up=True, is_down=True)


def test_an_unknown_field_of_the_target_is_passed_over_or_refused() -> None:
    event = definition(EVENT, struct((b"Target", TARGET)))
    known = definition(TARGET, struct((b"Why", STRING), (b"IsUp", 1)))
    assert decode(event + known + value(b"\x01\x01\x03why\x01\x01\0\0")).is_up
    unknown = definition(TARGET, struct((b"Why", 99), (b"IsUp", 1)))
    assert refusal(event + unknown + value(b"\x01\x02\x01\0\0")) == "type 99 is not defined"


def test_type_ids_of_messages_are_cut_to_32_bits() -> None:
    types = definition(EVENT + 2**32, struct((b"NodeID", UINT)))
    assert decode(types + value(b"\x01\x07\0", EVENT + 2**33)) == NODE_7
    assert refusal(definition(2**31, struct()) + value(b"\0")) == "type id 2147483648 can't be defined"


class TestInterface:
    """An unknown field of interface type: type name, definitions maybe, type id, length, value."""

    EVENT_TYPE = definition(EVENT, struct((b"X", INTERFACE), (b"NodeID", UINT)))

    def test_value_of_any_type_id_is_passed_over(self) -> None:
        assert decode(self.EVENT_TYPE + value(b"\x01\x01T" + number(99) + text(b"abc") + b"\x01\x07\0")) == NODE_7

    def test_definitions_inside_are_read(self) -> None:
        inside = b"\x01T" + number(-70) + PAIR + b"\x09" + number(-71) + PAIR + b"\x09" + number(70) + text(b"abc")
        assert decode(self.EVENT_TYPE + value(b"\x01" + inside + b"\x01\x07\0")) == NODE_7

    @pytest.mark.parametrize("twice", [EVENT, 70])
    def test_nothing_may_be_defined_twice(self, twice: int) -> None:
        inside = b"\x01T" + number(-70) + PAIR + b"\x09" + number(-twice) + PAIR + b"\x09" + number(70) + text(b"abc")
        assert refusal(self.EVENT_TYPE + value(b"\x01" + inside + b"\x01\x07\0")) == f"type {twice} is defined twice"

    def test_what_the_message_lacks_is_looked_for_in_the_next(self) -> None:
        first = self.EVENT_TYPE + value(b"\x01\x01T")
        assert decode(first + message(number(99) + text(b"abc") + b"\x01\x07\0")) == NODE_7
        assert decode(first + message(number(-70) + PAIR) + message(number(70) + text(b"a") + b"\x01\x07")) == NODE_7
        assert refusal(first) == "the payload ends where a message should begin"


def nested_types(count: int) -> bytes:
    """An event with a field of slices of slices … of numbers: ``count`` types in one another."""
    types = [definition(EVENT, struct((b"NodeID", UINT), (b"X", EXTRA)))]
    slices = count - 1
    types += [definition(EXTRA + n, slice_of(EXTRA + n + 1)) for n in range(slices - 1)]
    types.append(definition(EXTRA + slices - 1, slice_of(UINT)))
    return b"".join(types)


def test_types_may_be_nested_as_deep_as_go_lets_them() -> None:
    types = nested_types(DEPTH_MAX)
    assert decode(types + value(b"\x01\x07\x01" + b"\x01" * (DEPTH_MAX - 1) + b"\x05\0")) == NODE_7
    assert "types nested deeper" in refusal(nested_types(DEPTH_MAX + 1) + value(b"\x01\x07\0"))


def test_values_nested_beyond_all_measure_are_refused() -> None:
    assert decode(event_with_extra(slice_of(EXTRA), b"\x01" * (DEPTH_MAX - 1) + b"\0")) == NODE_7
    assert "values nested deeper" in refusal(event_with_extra(slice_of(EXTRA), b"\x01" * 100_000))


BIG = 50_000


@pytest.mark.parametrize(
    ("wire_type", "extra"),
    [
        (slice_of(EXTRA), uint(BIG) + bytes(BIG)),
        (map_of(EXTRA, EXTRA), uint(BIG // 2) + bytes(BIG)),
        (struct((b"Self", EXTRA)), b"\x01\0" * 4000),
        (slice_of(EXTRA), (uint(100) + b"\0" * 99) * 500),
    ],
    ids=["many elements", "many pairs", "struct that ends too soon", "wide and deep"],
)
def test_work_is_bounded_by_the_size_of_the_payload(wire_type: bytes, extra: bytes) -> None:
    """Exponential or even quadratic work would run into the time limit of the tests."""
    try:
        decode(event_with_extra(wire_type, extra))
    except GobError as error:
        assert error.reason  # noqa: PT017 - either answer will do, in time


def test_many_fields_of_one_deep_type_are_looked_at_once() -> None:
    fields = [(b"F%d" % n, EXTRA) for n in range(5000)]
    types = nested_types(5000).partition(definition(EVENT, struct((b"NodeID", UINT), (b"X", EXTRA))))[2]
    assert decode(definition(EVENT, struct((b"NodeID", UINT), *fields)) + types + value(b"\x01\x07\0")) == NODE_7
