"""The minting's events of some nodes, in many blocks.

To decode all events of a block takes milliseconds, and a period has half a million blocks. So a block is
looked at only if its bytes have the id of one of the nodes at the right place after the two bytes that
begin such an event. It is decoded only if it has other events than reports, since a report can be read
from its bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from app.adapters.substrate.records import PALLET, power_state
from app.domain.blocks import BlockRef
from app.domain.minting.events import (
    BlockWithEvents,
    NodeUptimeReported,
    PowerStateChanged,
    PowerTargetChanged,
    TimedBlock,
    TimedEvent,
)
from app.domain.model import NodeId, Power
from app.domain.values import value

if TYPE_CHECKING:
    from app.adapters.substrate.runtime import EventRecord, Runtime

Values = Mapping[str, str]

REPORT = "NodeUptimeReported"
RECORD = struct.Struct("<BI2sIQQB")
"""The record of a report: phase and extrinsic, tag, node, time, uptime, the number of topics."""
NODE_FIELDS = {REPORT: 0, "PowerTargetChanged": 1, "PowerStateChanged": 1}
"""Which field of the event is the node. All fields before it have its size (u32)."""


@value
class Events:
    """The leading blocks that one runtime executed, and the spec version that executed the next one."""

    blocks: Sequence[BlockWithEvents]
    next_spec: int


def events_of_blocks(runtime: Runtime, raws: Sequence[tuple[BlockRef, Values]], nodes: Collection[NodeId]) -> Events:
    """The events of the nodes. Runs in the worker's thread. Raises ValueError, KeyError or TypeError."""
    blocks: list[BlockWithEvents] = []
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
        blocks.append(BlockWithEvents(TimedBlock(ref, time_s), tuple(found)))
    return Events(blocks, runtime.spec_version)


def time_of(runtime: Runtime, ref: BlockRef, values: Values) -> int:
    """The block's own time in whole seconds, as in the pallet. Raises ValueError when the block has none."""
    data = values.get(runtime.key("Timestamp", "Now"))
    if data is None:
        if ref.number == 0:
            return 0
        raise ValueError(f"block {ref.number} has no time")
    return int(runtime.value("Timestamp", "Now", data)) // 1000


def _mark(runtime: Runtime, name: str) -> tuple[bytes, int | None] | None:
    """The event's tag, and the offset of the node's id; the offset is None if this runtime's fields differ."""
    tag = runtime.event_tag(PALLET, name)
    if tag is None:
        return None
    fields, node = runtime.event_fields(PALLET, name), NODE_FIELDS[name]
    known = len(fields) > node and set(fields[: node + 1]) == {"u32"}
    return tag, len(tag) + 4 * node if known else None


def _places(data: bytes, mark: tuple[bytes, int | None], ids: Collection[bytes]) -> Iterator[int]:
    """Where an event of that kind and of one of the nodes may begin."""
    tag, at = mark
    found = data.find(tag)
    while found >= 0:
        if at is None or data[found + at : found + at + 4] in ids:
            yield found
        found = data.find(tag, found + 1)


def _reports(data: bytes, places: Sequence[int], time_s: int) -> Sequence[NodeUptimeReported] | None:
    """Read reports from their bytes, which is a hundred times faster; None if one may not be a report.

    It is a report if it follows the index of its extrinsic, has the block's own time, and has no topics.
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
    fields = record.attributes
    match record.name:
        case "NodeUptimeReported":
            node, reported_s, uptime_s = fields
            return NodeUptimeReported(int(reported_s), NodeId(node), int(uptime_s))
        case "PowerTargetChanged":
            return PowerTargetChanged(time_s, NodeId(fields["node_id"]), Power(fields["power_target"]))
        case "PowerStateChanged":
            return PowerStateChanged(time_s, NodeId(fields["node_id"]), power_state(fields["power_state"]).power)
    return None
