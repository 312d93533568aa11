"""The minting's events in blocks: which blocks have any of the nodes asked for, and what they say.

To decode all events of a block takes milliseconds, and a period has half a million blocks. So a block is
looked at only if one of the nodes shows in its bytes, behind the two bytes that begin an event of the kind,
and decoded only if there is more than reports, whose bytes say enough.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.adapters.substrate.records import PALLET, power_state
from app.domain.blocks import BlockRef
from app.domain.minting.events import NodeUptimeReported, PowerStateChanged, PowerTargetChanged, TimedEvent
from app.domain.minting.history import EventfulBlock, TimedBlock
from app.domain.model import NodeId, Power

if TYPE_CHECKING:
    from app.adapters.substrate.runtime import EventRecord, Runtime

Values = Mapping[str, str]

REPORT = "NodeUptimeReported"
RECORD = struct.Struct("<BI2sIQQB")
"""An event record of a report: phase and extrinsic, tag, node, time, uptime, the number of topics."""
NODE_FIELDS = {REPORT: 0, "PowerTargetChanged": 1, "PowerStateChanged": 1}
"""Which field of the event is the node, all before it being of its size (u32)."""


@dataclass(frozen=True, slots=True)
class Events:
    """As many blocks as one runtime executed, and the spec version that executed the next one."""

    blocks: Sequence[EventfulBlock]
    next_spec: int


def events_of_blocks(runtime: Runtime, raws: Sequence[tuple[BlockRef, Values]], nodes: Collection[NodeId]) -> Events:
    """In the worker's thread; ValueError, KeyError or TypeError when a block can't be read."""
    blocks: list[EventfulBlock] = []
    marks = {name: mark for name in NODE_FIELDS if (mark := _mark(runtime, name)) is not None}
    plain = runtime.event_fields(PALLET, REPORT) == ["u32", "u64", "u64"]
    ids = {node.to_bytes(4, "little") for node in nodes}
    for ref, values in raws:
        spec = runtime.spec_of_block(values) or runtime.spec_version
        if spec != runtime.spec_version:
            return Events(blocks, spec)
        time_s = time_of(runtime, ref, values)
        data = bytes.fromhex(values.get(runtime.key("System", "Events"), "0x00").removeprefix("0x"))
        shown = {name: places for name, mark in marks.items() if (places := list(_places(data, mark, ids)))}
        found: Sequence[TimedEvent] | None = ()
        if shown:
            found = _reports(data, shown[REPORT], time_s) if plain and list(shown) == [REPORT] else None
        if found is None:
            events = (_event(record, time_s) for record in runtime.events("0x" + data.hex()))
            found = [event for event in events if event is not None and event.node in nodes]
        blocks.append(EventfulBlock(TimedBlock(ref, time_s), tuple(found)))
    return Events(blocks, runtime.spec_version)


def time_of(runtime: Runtime, ref: BlockRef, values: Values) -> int:
    """The block's own time in whole seconds, as the pallet counts; ValueError when the block has none."""
    data = values.get(runtime.key("Timestamp", "Now"))
    if data is None:
        if ref.number == 0:
            return 0
        raise ValueError(f"block {ref.number} has no time")
    return int(runtime.value("Timestamp", "Now", data)) // 1000


def _mark(runtime: Runtime, name: str) -> tuple[bytes, int | None] | None:
    """The event's tag, and how far behind its begin the node's id is: None where this runtime's event is another."""
    tag = runtime.event_tag(PALLET, name)
    if tag is None:
        return None
    fields, node = runtime.event_fields(PALLET, name), NODE_FIELDS[name]
    known = len(fields) > node and set(fields[: node + 1]) == {"u32"}
    return tag, len(tag) + 4 * node if known else None


def _places(data: bytes, mark: tuple[bytes, int | None], ids: Collection[bytes]) -> Iterator[int]:
    """Where an event of that kind, of one of the nodes, may begin."""
    tag, at = mark
    found = data.find(tag)
    while found >= 0:
        if at is None or data[found + at : found + at + 4] in ids:
            yield found
        found = data.find(tag, found + 1)


def _reports(data: bytes, places: Sequence[int], time_s: int) -> Sequence[NodeUptimeReported] | None:
    """Reports read from their bytes, a hundred times faster; None when one of these is not surely a report.

    It is one when it says the block's own time, behind the index of its extrinsic and before an empty list of topics.
    """
    reports = []
    for place in places:
        record = data[place - 5 : place + RECORD.size - 5]
        if place < 5 or len(record) < RECORD.size:
            return None
        phase, _, _, node, reported_s, uptime_s, topics = RECORD.unpack(record)
        if (phase, reported_s, topics) != (0, time_s, 0):
            return None
        reports.append(NodeUptimeReported(reported_s, NodeId(node), uptime_s))
    return reports


def _event(record: EventRecord, time_s: int) -> TimedEvent | None:
    if record.pallet != PALLET:
        return None
    told = record.attributes
    match record.name:
        case "NodeUptimeReported":
            node, reported_s, uptime_s = told
            return NodeUptimeReported(int(reported_s), NodeId(node), int(uptime_s))
        case "PowerTargetChanged":
            return PowerTargetChanged(time_s, NodeId(told["node_id"]), Power(told["power_target"]))
        case "PowerStateChanged":
            return PowerStateChanged(time_s, NodeId(told["node_id"]), power_state(told["power_state"]).power)
    return None
