"""The gob codec answers as Go does, whether it has met a payload's type definitions before or not."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.codecs.power_target import (
    HEADS_MAX,
    PAYLOAD_BYTES_MAX,
    GobError,
    PowerTargetDecoder,
    TargetChange,
    decode,
    encode,
)
from tests.rigs.gob_vectors import ALL, REFERENCE, VECTORS, Vector

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

IDS = st.integers(0, 2**32 - 1) | st.integers(0, 300)
CHANGES = st.builds(TargetChange, IDS, IDS, st.booleans(), st.booleans())


def answer(decoder: PowerTargetDecoder, payload: bytes) -> TargetChange | tuple[str, int]:
    try:
        return decoder.decode(payload)
    except GobError as error:
        return error.reason, error.offset


def answers_agree(payload: bytes) -> TargetChange | tuple[str, int]:
    """Decode without and with what another payload, and this one, left in the decoder's memory."""
    decoder = PowerTargetDecoder()
    fresh = answer(decoder, payload)
    assert answer(decoder, payload) == fresh
    assert answer(EXPERIENCED, payload) == fresh
    if not isinstance(fresh, TargetChange):
        assert 0 <= fresh[1] <= len(payload)
    return fresh


EXPERIENCED = PowerTargetDecoder()
for _vector in VECTORS["written by Go"]:
    EXPERIENCED.decode(_vector.payload)


@pytest.mark.parametrize("vector", ALL, ids=lambda vector: vector.name)
def test_gives_the_answer_of_go(vector: Vector) -> None:
    got = answers_agree(vector.payload)
    assert got == vector.event if vector.event else not isinstance(got, TargetChange)


def test_refuses_every_payload_cut_short() -> None:
    for size in range(len(REFERENCE)):
        assert not isinstance(answers_agree(REFERENCE[:size]), TargetChange)


def test_writes_what_a_fresh_go_process_writes() -> None:
    fresh = [vector for vector in VECTORS["written by Go"] if "1.25.5, ids 64/65" in vector.name]
    assert len(fresh) == 72
    for vector in fresh:
        assert vector.event is not None
        assert encode(vector.event) == vector.payload


@patient
@given(CHANGES)
def test_reads_back_what_it_wrote(change: TargetChange) -> None:
    assert answers_agree(encode(change)) == change


@patient
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_or_read_the_same_way_twice(payload: bytes) -> None:
    answers_agree(payload)


@patient
@given(st.binary(max_size=40), st.integers(0, 8))
def test_arbitrary_values_after_good_definitions(value: bytes, cut: int) -> None:
    answers_agree(REFERENCE[: 113 - cut] + value)
    answers_agree(REFERENCE[:110] + bytes((len(value) + 2,)) + b"\xff\x80" + value)


@settings(patient, max_examples=400)
@given(st.sampled_from(ALL), st.data())
def test_edited_payloads_are_refused_or_read_the_same_way_twice(vector: Vector, data: st.DataObject) -> None:
    payload = vector.payload
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(payload)))
        stop = data.draw(st.integers(start, min(len(payload), start + 4)))
        payload = payload[:start] + data.draw(st.binary(max_size=4)) + payload[stop:]
    answers_agree(payload)


@pytest.mark.parametrize("change", [TargetChange(2**32, 1, True, False), TargetChange(1, -1, True, False)])
def test_does_not_write_ids_beyond_32_bits(change: TargetChange) -> None:
    with pytest.raises(ValueError, match="32 bits"):
        encode(change)


def test_an_error_names_offset_and_reason() -> None:
    with pytest.raises(GobError) as caught:
        decode(REFERENCE[:-1])
    assert caught.value.offset == 110
    assert str(caught.value) == "a message of 11 bytes is announced, 10 are there (at offset 110)"


def test_huge_payloads_are_refused_unread_also_after_known_definitions() -> None:
    decoder = PowerTargetDecoder()
    decoder.decode(REFERENCE)
    assert decoder.decode(REFERENCE.ljust(PAYLOAD_BYTES_MAX, b"\xff")) == decoder.decode(REFERENCE)
    for start in (REFERENCE, b""):
        with pytest.raises(GobError, match="are no event"):
            decoder.decode(start.ljust(PAYLOAD_BYTES_MAX + 1, b"\xff"))


def test_forgets_old_definitions_and_still_answers() -> None:
    decoder = PowerTargetDecoder()
    renamed = [REFERENCE.replace(b"PowerTargetChangeEvent", b"Event%017d" % number) for number in range(2 * HEADS_MAX)]
    assert {decoder.decode(payload) for payload in renamed + renamed} == {decode(REFERENCE)}
    assert len(decoder._heads) <= HEADS_MAX


def test_definitions_of_four_kilobytes_and_more_are_not_remembered() -> None:
    (vector,) = (vector for vector in VECTORS["foreign"] if vector.name == "type name of 4096 bytes")
    decoder = PowerTargetDecoder()
    assert decoder.decode(vector.payload) == vector.event
    assert not decoder._heads
