"""Events of a node's month as lines of JSON."""

from __future__ import annotations

import pytest

from app.adapters.codecs.minting_events import decode, encode
from app.domain.minting.events import Event, Initial, NodeUptimeReported, PowerStateChanged, PowerTargetChanged
from app.domain.model import NodeId, Power

LINES: list[tuple[bytes, Event]] = [
    (
        b'{"event":"Initial","node":7,"state":"Down","since":1749990000,"target":"Down"}',
        Initial(NodeId(7), Power.DOWN, Power.DOWN, 1749990000),
    ),
    (b'{"event":"Initial","node":7,"state":"Up","target":"Down"}', Initial(NodeId(7), Power.UP, Power.DOWN)),
    (
        b'{"time":1750000010,"node":7,"event":"NodeUptimeReported","uptime":5000}',
        NodeUptimeReported(1750000010, NodeId(7), 5000),
    ),
    (
        b'{"time":1750002400,"node":7,"event":"PowerTargetChanged","target":"Up"}',
        PowerTargetChanged(1750002400, NodeId(7), Power.UP),
    ),
    (
        b'{"time":1750002460,"node":7,"event":"PowerStateChanged","state":"Down"}',
        PowerStateChanged(1750002460, NodeId(7), Power.DOWN),
    ),
]


@pytest.mark.parametrize(("line", "event"), LINES)
def test_a_line_is_read_and_written(line: bytes, event: Event) -> None:
    assert decode(line) == event
    assert decode(encode(event)) == event


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"time":1750002460,"node":7,"ev', "truncated"),
        (b"\xff\xfe", "malformed"),
        (b"[]", "Expected `object`"),
        (b'{"time":1,"node":7,"event":"NodeStored"}', "Invalid value 'NodeStored'"),
        (b'{"time":1,"node":7,"event":"NodeUptimeReported"}', "missing required field `uptime`"),
        (b'{"time":1,"node":7,"event":"NodeUptimeReported","uptime":-1}', ">= 0"),
        (b'{"time":1750000000000,"node":7,"event":"NodeUptimeReported","uptime":1}', "<= 4294967295"),
        (b'{"time":' + b"[" * 100_000, "recursion|depth|truncated"),
        (b'{"time":1.5,"node":7,"event":"NodeUptimeReported","uptime":1}', "Expected `int`"),
        (b'{"time":1,"node":7,"event":"PowerStateChanged","state":{"Down":5}}', "Expected `str`"),
        (b'{"event":"Initial","node":7,"state":"Down","target":"Up"}', "needs `since`"),
    ],
)
def test_a_torn_or_foreign_line_is_refused_with_the_reason(line: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode(line)
