"""Events of a node's month as lines of JSON, in and out; times in whole Unix seconds.

``{"event":"Initial","node":7,"state":"Down","since":1749990000,"target":"Down"}`` and
``{"time":1750000010,"node":7,"event":"NodeUptimeReported","uptime":5000}``; a target or state change
has ``target`` or ``state`` instead of ``uptime``. Other fields are skipped.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from app.domain.minting.events import Event, Initial, NodeUptimeReported, PowerStateChanged, PowerTargetChanged
from app.domain.model import NodeId, Power

Count = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
"""Ids are u32, and so are Unix seconds until 2106: larger times are milliseconds."""
UpOrDown = Literal["Up", "Down"]


class _Initial(msgspec.Struct, tag_field="event", tag="Initial"):
    node: Count
    state: UpOrDown
    target: UpOrDown
    since: Count | None = None


class _Uptime(msgspec.Struct, tag_field="event", tag="NodeUptimeReported"):
    time: Count
    node: Count
    uptime: Count


class _Target(msgspec.Struct, tag_field="event", tag="PowerTargetChanged"):
    time: Count
    node: Count
    target: UpOrDown


class _State(msgspec.Struct, tag_field="event", tag="PowerStateChanged"):
    time: Count
    node: Count
    state: UpOrDown


_DECODER = msgspec.json.Decoder(_Initial | _Uptime | _Target | _State)
_ENCODER = msgspec.json.Encoder()
_POWERS = {power.value: power for power in Power}


def decode(line: bytes) -> Event:
    """The event of one line. Raises ValueError with the reason."""
    try:
        read: _Initial | _Uptime | _Target | _State = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    node = NodeId(read.node)
    match read:
        case _Uptime():
            return NodeUptimeReported(read.time, node, read.uptime)
        case _Target():
            return PowerTargetChanged(read.time, node, _POWERS[read.target])
        case _State():
            return PowerStateChanged(read.time, node, _POWERS[read.state])
        case _:
            if read.state == "Down" and read.since is None:
                raise ValueError("a node that begins Down needs `since`, the time of its Down")
            return Initial(node, _POWERS[read.state], _POWERS[read.target], read.since)


def encode(event: Event) -> bytes:
    """The line, without its end."""
    row: dict[str, object] = {} if isinstance(event, Initial) else {"time": event.time_s}
    row |= {"node": event.node, "event": type(event).__name__}
    match event:
        case Initial():
            row |= {"state": event.state.value, "target": event.target.value}
            row |= {} if event.since_s is None else {"since": event.since_s}
        case NodeUptimeReported():
            row["uptime"] = event.uptime_s
        case PowerTargetChanged():
            row["target"] = event.target.value
        case _:
            row["state"] = event.state.value
    return _ENCODER.encode(row)
