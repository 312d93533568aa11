"""Go's types against values that real Go programs wrote, and against values of other types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.adapters.codecs.go_types import (
    BOOL,
    HASH,
    INT64,
    STRING,
    TIME,
    UINT32,
    ByteArray,
    GoType,
    Integer,
    Slice,
    StringMap,
    Struct,
    decode,
    encode,
)
from app.adapters.codecs.zbus_frames import ZbusError, decode_request, decode_response
from app.adapters.zbus.gateway_answers import node_power, node_record
from app.adapters.zbus.neighbours import CALLED, GET_NODE, GET_POWER_TARGET, NODE, NODE_POWER, RemoteMethod
from app.adapters.zbus.server import STATUS_TYPE
from app.domain.model import FarmId, Mac, Node, NodeId, NodePower, Power, PowerState, TwinId, Unreadable
from app.entrypoints.neighbours.gateway import WHOLE_NODE, node_value

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "zbus_frames.json").read_text())
CALLS = VECTORS["calls"]
RECORDED = [
    (method, call)
    for method in CALLED
    for call in CALLS
    if call["name"].startswith((f"{method}(", f"{method} ")) or call["name"] == str(method)
]
ANSWERED = [(method, call) for method, call in RECORDED if method.result is not None and call.get("response")]


def name_of(value: object) -> str:
    return str(value["name"]) if isinstance(value, dict) else ""


def test_every_method_that_is_called_was_recorded() -> None:
    assert {str(method) for method, _ in RECORDED} == {str(method) for method in CALLED}


@pytest.mark.parametrize(("method", "call"), RECORDED, ids=name_of)
def test_arguments_are_written_as_by_go(method: RemoteMethod, call: Any) -> None:
    request = decode_request(bytes.fromhex(call["request"]))
    assert (request.object, request.method) == (method.remote.object, method.name)
    values = [decode(type_, data, "it") for type_, data in zip(method.inputs, request.inputs, strict=True)]
    assert tuple(encode(type_, value) for type_, value in zip(method.inputs, values, strict=True)) == request.inputs


@pytest.mark.parametrize(("method", "call"), ANSWERED, ids=name_of)
def test_results_are_read(method: RemoteMethod, call: Any) -> None:
    data = decode_response(bytes.fromhex(call["response"])).data
    assert method.result is not None
    value = decode(method.result, data, "it")
    if method.result not in (NODE, TIME) and "nil" not in call["name"]:
        assert encode(method.result, value) == data


def test_the_status_of_a_real_server_is_written_again_to_the_byte() -> None:
    (call,) = (call for call in CALLS if call["name"] == "status of api-gateway")
    data = decode_response(bytes.fromhex(call["response"])).data
    told = call["answers"]["Data"]["value"]
    for worker in told["Workers"]:
        seconds, nanoseconds = worker["StartTime"]["timestamp"]
        worker["StartTime"] = seconds * 10**9 + nanoseconds
    assert encode(STATUS_TYPE, told) == data


def answer_of(name: str) -> Any:
    (call,) = (call for call in CALLS if call["name"] == name)
    return decode_response(bytes.fromhex(call["response"])).data


@pytest.mark.parametrize(
    ("node", "power"),
    [
        (7, NodePower(PowerState(Power.UP), Power.UP)),
        (8, NodePower(PowerState(Power.DOWN, 12345678), Power.DOWN)),
        (9, NodePower(PowerState(Power.DOWN, 200), Power.UP)),
    ],
)
def test_the_power_of_a_real_gateway_is_read(node: int, power: NodePower) -> None:
    assert node_power(decode(NODE_POWER, answer_of(f"{GET_POWER_TARGET}({node})"), "it")) == power


def test_a_power_with_neither_flag_set_is_unreadable() -> None:
    """As beside an error; Go would take it for Down, and power off."""
    power = node_power(decode(NODE_POWER, answer_of(f"{GET_POWER_TARGET}(404)"), "it"))
    assert isinstance(power, Unreadable)


def test_the_record_of_a_real_gateway_is_read() -> None:
    node = node_record(decode(NODE, answer_of(f"{GET_NODE}(8)"), "it"))
    assert (node.id, node.farm, node.twin) == (8, 1, 30)
    assert node.mac == Mac.parse("54:45:46:f6:02:61")


@pytest.mark.parametrize(
    ("interfaces", "problem"),
    [([], "no interface named 'zos'"), ([("zos", "nonsense")], "is not a MAC address"), ([("eth0", "x")], "no interf")],
)
def test_a_record_without_a_usable_address_says_what_is_wrong(interfaces: list[Any], problem: str) -> None:
    told = [{"Name": name, "Mac": mac, "IPs": ()} for name, mac in interfaces]
    node = node_record({"ID": 7, "FarmID": 1, "TwinID": 2, "Interfaces": told})
    assert node.mac is None
    assert problem in node.mac_problem


FOREIGN = {
    "power: missing State": "State is missing",
    "power: json style names": "State is missing",
    "power: bools as ints": "State is missing",
    "power: nil Target": "State is missing",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_go_would_make_a_power_of_is_refused(name: str) -> None:
    (vector,) = (vector for vector in VECTORS["foreign_responses"] if vector["name"] == name)
    with pytest.raises(ZbusError, match=FOREIGN[name]):
        decode(NODE_POWER, decode_response(bytes.fromhex(vector["response"])).data, "it")


PAIR = Struct("Pair", (("A", UINT32), ("B", STRING)))


@pytest.mark.parametrize(
    ("type_", "plain", "complaint"),
    [
        (BOOL, 1, "not a bool"),
        (UINT32, -1, "which is no uint32"),
        (UINT32, 2**32, "which is no uint32"),
        (UINT32, True, "not a uint32"),
        (UINT32, 7.0, "not a uint32"),
        (Integer(8, signed=True), 128, "which is no int8"),
        (STRING, 7, "not a string"),
        (HASH, bytes(31), r"not a \[32\]byte"),
        (TIME, 7, "not a time.Time"),
        (Slice(UINT32), 7, r"not a \[\]uint32"),
        (Slice(UINT32), [1, "x"], r"it\[1\] is a string"),
        (StringMap(), [], r"not a map\[string\]string"),
        (StringMap(), {"a": 1}, "it\\['a'\\] is an integer"),
        (PAIR, 7, "not a Pair"),
        (PAIR, [1], "not a Pair"),
        (PAIR, {"A": 1}, "it.B is missing"),
        (PAIR, {"A": 1, "B": None}, "it.B is nil"),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(type_: GoType, plain: object, complaint: str) -> None:
    with pytest.raises(ZbusError, match=complaint):
        decode(type_, msgspec.msgpack.encode(plain), "it")


@pytest.mark.parametrize("data", [None, b""])
def test_no_value_at_all_is_refused(data: bytes | None) -> None:
    with pytest.raises(ZbusError, match="the result is missing"):
        decode(UINT32, data, "the result")


@pytest.mark.parametrize("place", ["Location", "BoardSerial", "PublicConfig", "Interfaces"])
def test_a_record_with_text_that_is_no_utf_8_still_wakes_its_node(place: str) -> None:
    """R7: Go writes what the chain has, and reads it; the address of the interface `zos` is all that is needed."""
    marker = "ODD-TEXT"
    record = node_value(Node(NodeId(7), FarmId(1), TwinId(29), Mac.parse("54:45:46:f6:02:61")))
    odd: dict[str, object] = {
        "Location": {**record["Location"], "City": marker},
        "BoardSerial": {"HasValue": True, "AsValue": marker},
        "PublicConfig": {
            "HasValue": True,
            "AsValue": {**record["PublicConfig"]["AsValue"], "Domain": {"HasValue": True, "AsValue": marker}},
        },
        "Interfaces": [{"Name": marker, "Mac": marker, "IPs": [marker]}, *record["Interfaces"]],
    }
    data = encode(WHOLE_NODE, {**record, place: odd[place]}).replace(marker.encode(), b"\xff\xfeL\xf6chg\x80")
    node = node_record(decode(NODE, data, "the result"))
    assert (node.id, str(node.mac)) == (7, "54:45:46:f6:02:61")


def test_bytes_that_are_no_value_are_refused_by_name() -> None:
    with pytest.raises(ZbusError, match="the result: no MessagePack"):
        decode(UINT32, b"\xc1", "the result")


def test_go_may_write_structs_as_arrays_bins_as_strings_and_nil_for_empty() -> None:
    assert decode(PAIR, msgspec.msgpack.encode([7, b"x"]), "it") == {"A": 7, "B": "x"}
    assert decode(PAIR, msgspec.msgpack.encode({"A": 7, "B": "x", "C": 1}), "it") == {"A": 7, "B": "x"}
    assert decode(Slice(STRING), b"\xc0", "it") == ()
    assert decode(StringMap(), b"\xc0", "it") == {}


def test_zero_is_what_go_makes_of_nil() -> None:
    types = (BOOL, UINT32, STRING, ByteArray(2), TIME, Slice(BOOL), StringMap(), PAIR)
    assert [type_.zero for type_ in types] == [False, 0, "", b"\0\0", 0, (), {}, {"A": 0, "B": ""}]
    assert [type_.name for type_ in types[:5]] == ["bool", "uint32", "string", "[2]byte", "time.Time"]


@given(st.integers(0, 2**34), st.integers(0, 10**6 - 1))
@example(seconds=2**32, microseconds=129)
def test_times_come_back_to_the_microsecond(seconds: int, microseconds: int) -> None:
    value = seconds * 10**9 + microseconds * 1000
    assert decode(TIME, encode(TIME, value), "it") == value


@pytest.mark.parametrize(("seconds", "size"), [(7, 6), (2**33, 10), (2**34, 15)])
def test_times_take_as_many_bytes_as_they_need(seconds: int, size: int) -> None:
    assert len(encode(TIME, seconds * 10**9)) == size


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_come_back(value: int) -> None:
    assert decode(INT64, encode(INT64, value), "it") == value


@given(st.dictionaries(st.text(), st.text()), st.binary())
def test_maps_come_back_and_bytes_after_a_value_are_passed_over(value: dict[str, str], rest: bytes) -> None:
    assert decode(StringMap(), encode(StringMap(), value) + rest, "it") == value


def test_a_lone_surrogate_is_written_as_a_question_mark() -> None:
    assert decode(STRING, encode(STRING, "a\ud800b"), "it") == "a?b"
    assert decode(StringMap(), encode(StringMap(), {"k": "\udcff"}), "it") == {"k": "?"}
