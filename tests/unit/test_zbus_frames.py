"""The zbus codec against frames of the real Go client and server, and against rubbish."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.codecs.msgpack_span import NotMsgpack, first_value
from app.adapters.codecs.zbus_frames import (
    FRAME_BYTES_MAX,
    ObjectId,
    Request,
    Response,
    ZbusError,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
    is_request,
    unpack,
)
from app.entrypoints.powerd.decode import decode_lines
from app.entrypoints.powerd.decode_zbus import zbus_frame

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "zbus_frames.json").read_text())
CALLS = VECTORS["calls"]
ANSWERED = [call for call in CALLS if "response" in call]


def name(vector: Any) -> str:
    return str(vector["name"])


@pytest.mark.parametrize("call", CALLS, ids=name)
def test_a_request_is_read_and_written_as_by_go(call: Any) -> None:
    frame, means = bytes.fromhex(call["request"]), call["means"]
    assert is_request(frame)
    request = decode_request(frame)
    assert request == Request(
        means["ID"],
        ObjectId(means["Object"]["Name"], means["Object"]["Version"]),
        means["Method"],
        tuple(bytes.fromhex(each["hex"]) for each in means["Inputs"]),
        means["ReplyTo"],
    )
    assert encode_request(request) == frame


@pytest.mark.parametrize("call", ANSWERED, ids=name)
def test_a_response_is_read_and_written_as_by_go(call: Any) -> None:
    frame, answers = bytes.fromhex(call["response"]), call["answers"]
    assert not is_request(frame)
    response = decode_response(frame)
    assert response.id == answers["ID"]
    assert response.error == answers["Error"]
    assert response.call_error == ("" if answers["CallError"] is None else answers["CallError"]["Message"])
    assert response.data == (None if answers["Data"] is None else bytes.fromhex(answers["Data"]["hex"]))
    assert encode_response(response) == frame


@pytest.mark.parametrize("vector", VECTORS["foreign_requests"], ids=name)
def test_a_request_is_dropped_where_go_drops_it(vector: Any) -> None:
    frame = bytes.fromhex(vector["request"])
    if vector["answered"]:
        assert decode_request(frame).id in ("r1", "other")
    else:
        with pytest.raises(ZbusError):
            decode_request(frame)


BROKEN_FOR_GO_TOO = ("call error as a plain str", "not msgpack", "spec readme names (Arguments)")


@pytest.mark.parametrize("vector", VECTORS["foreign_responses"], ids=name)
def test_a_response_is_read_where_go_reads_its_envelope(vector: Any) -> None:
    frame = bytes.fromhex(vector["response"])
    if vector["name"] in BROKEN_FOR_GO_TOO[:2]:
        assert "panic" in vector["go"]
        with pytest.raises(ZbusError):
            decode_response(frame)
        return
    response = decode_response(frame)
    if vector["name"].startswith("protocol error"):
        assert response.error is not None
    if vector["name"] == "call error with an empty message":
        assert not response.call_error
    if vector["name"] in ("Output nil", "Data nil where a value is expected"):
        assert response.data is None


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (7, "the frame is an integer"),
        (None, "it is nil"),
        ([1, 2], "the frame is an array"),
        ({"id": "x"}, "none of the keys"),
        ({"ID": 7}, "ID is an integer, not a string"),
        ({"ID": "x", "Inputs": "x"}, "Inputs is a string, not an array"),
        ({"ID": "x", "Inputs": [1.5]}, r"Inputs\[0\] is a float, not a bin"),
        ({"ID": "x", "Object": "x"}, "Object is a string, not a map of Name, Version"),
    ],
)
def test_a_request_that_is_none_says_which_field(value: object, complaint: str) -> None:
    with pytest.raises(ZbusError, match=complaint):
        decode_request(msgspec.msgpack.encode(value))


def test_go_reads_structs_as_arrays_strings_as_bins_and_missing_keys_as_zero() -> None:
    frame = msgspec.msgpack.encode([b"r1", ["\x07", None], ["power", None], None, "Wake"])
    assert decode_request(frame) == Request("r1", ObjectId("power"), "Wake", (b"\x07", b""), "")
    assert is_request(frame)
    assert decode_response(msgspec.msgpack.encode(["r1", [b"\x07", ["no"]], None])) == Response("r1", b"\x07", "no")


ODD = b"\xff\xfe city \xc3"


@pytest.mark.parametrize("length", [9, 40, 300, 70_000])
def test_a_string_that_is_no_utf_8_spoils_nothing_beside_it(length: int) -> None:
    """Whatever the width of its length on the wire."""
    odd = ODD.ljust(length, b"x")
    good = msgspec.msgpack.encode("Zürich")
    for lead, width in (("d9", 1), ("da", 2), ("db", 4)):
        if length < 1 << 8 * width:
            text = bytes.fromhex(lead) + length.to_bytes(width, "big") + odd
            value = b"\x83\xa1a" + text + b"\xa1b" + good + b"\xa3\xff\xfe\xfd\xc4\x01\xff"
            assert unpack(value) == {"a": odd.decode("utf-8", "replace"), "b": "Zürich", "���": b"\xff"}


def test_errors_and_ids_of_any_bytes_are_read() -> None:
    frame = msgspec.msgpack.encode(
        {"ID": b"\xff", "Output": {"Data": None, "Error": {"Message": b"no \xff"}}, "Error": None}
    )
    assert decode_response(frame.replace(b"\xc4\x04no \xff", b"\xa4no \xff")) == Response("�", None, "no �")
    assert decode_response(frame) == Response("�", None, "no �")


def test_an_object_is_written_with_its_version_if_it_has_one() -> None:
    assert str(ObjectId("power", "0.0.1")) == "power@0.0.1"
    assert str(ObjectId("bare")) == "bare"


def test_a_frame_that_is_too_long_is_refused_unread() -> None:
    with pytest.raises(ZbusError, match="more than any frame"):
        unpack(b"\xc0" + bytes(FRAME_BYTES_MAX))


def test_a_frame_as_deep_as_it_is_long_is_refused() -> None:
    with pytest.raises(ZbusError):
        unpack(b"\x91" * 100_000 + b"\xc0")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=300)
    | st.builds(msgspec.msgpack.Ext, st.integers(0, 127), st.binary(max_size=40))
    | st.datetimes(timezones=st.timezones()),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(), inner, max_size=20),
)


@given(VALUES, st.binary())
def test_the_first_value_ends_where_it_ends(value: object, rest: bytes) -> None:
    encoded = msgspec.msgpack.encode(value)
    assert first_value(encoded + rest) == encoded
    for cut in {0, len(encoded) // 2, len(encoded) - 1}:
        with pytest.raises(NotMsgpack):
            first_value(encoded[:cut])


@given(st.integers(16, 70_000), st.sampled_from(["text", "bin", "array", "map"]))
def test_the_first_value_of_long_ones(length: int, kind: str) -> None:
    value: object = {"text": "x" * length, "bin": bytes(length), "array": [None] * length}.get(kind)
    encoded = msgspec.msgpack.encode(dict.fromkeys(range(length)) if value is None else value)
    assert first_value(encoded + b"\xc1") == encoded


@given(st.binary())
def test_rubbish_is_refused_or_shown_and_never_more(frame: bytes) -> None:
    for read in (decode_request, decode_response, zbus_frame):
        with suppress(ZbusError):
            json.dumps(read(frame), default=str)


@given(st.sampled_from(ANSWERED), st.integers(0), st.binary(max_size=3))
def test_a_torn_frame_is_refused_or_shown(call: Any, at: int, middle: bytes) -> None:
    frame = bytes.fromhex(call["response"])
    at %= len(frame)
    with suppress(ZbusError):
        json.dumps(zbus_frame(frame[:at] + middle + frame[at + 1 :]), allow_nan=False)


def shown(frame: bytes) -> Any:
    out = io.StringIO()
    decode_lines([frame.hex()], out, zbus_frame)
    return json.loads(out.getvalue())


@pytest.mark.parametrize("call", CALLS, ids=name)
def test_a_request_is_shown_with_its_arguments(call: Any) -> None:
    line = shown(bytes.fromhex(call["request"]))
    assert list(line) == ["ID", "Inputs", "Object", "ReplyTo", "Method"]
    assert line["Inputs"] == [each["value"] for each in call["means"]["Inputs"]]
    assert line["Object"] == call["means"]["Object"]


@pytest.mark.parametrize("call", ANSWERED, ids=name)
def test_a_response_is_shown_with_its_value(call: Any) -> None:
    line, answers = shown(bytes.fromhex(call["response"])), call["answers"]
    assert list(line) == ["ID", "Output", "Error"]
    assert line["Output"]["Error"] == answers["CallError"]
    if answers["Data"] is not None and "timestamp" not in json.dumps(answers["Data"]["value"]):
        assert line["Output"]["Data"] == answers["Data"]["value"]


def test_what_json_has_no_word_for_is_shown_too() -> None:
    value = {1: msgspec.msgpack.Ext(5, b"\x01"), "t": float("inf"), "b": b"\x02"}
    data = msgspec.msgpack.encode(value) + b"trailing"
    assert shown(encode_response(Response("r", data)))["Output"]["Data"] == {
        "1": {"ext": 5, "bin": "01"},
        "t": "inf",
        "b": {"bin": "02"},
    }


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (b"", "no MessagePack: it is empty"),
        (b"\xc1", "no MessagePack: the byte c1 at 0 begins no value"),
        (b"hello", "the frame is an integer, not a map of ID, Output, Error"),
        (encode_response(Response("r", b"")), "Output.Data: no MessagePack: it is empty"),
    ],
)
def test_what_is_no_frame_says_why(frame: bytes, error: str) -> None:
    if not frame:
        with pytest.raises(ZbusError, match=error):
            zbus_frame(frame)
        return
    assert shown(frame) == {"error": error}
