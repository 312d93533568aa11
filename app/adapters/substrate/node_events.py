"""The minting's events in blocks: which blocks have any of the nodes asked for, and what they say.

To decode all events of a block takes milliseconds, and a period has half a million blocks. So a block is
decoded only if one of the nodes shows in its bytes, behind the two bytes that begin an event of the kind.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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

NODE_FIELDS = {"NodeUptimeReported": 0, "PowerTargetChanged": 1, "PowerStateChanged": 1}
"""Which field of the event is the node, all before it being of its size (u32)."""


@dataclass(frozen=True, slots=True)
class Events:
    """As many blocks as one runtime executed, and the spec version that executed the next one."""

    blocks: Sequence[EventfulBlock]
    next_spec: int


def events_of_blocks(runtime: Runtime, raws: Sequence[tuple[BlockRef, Values]], nodes: Collection[NodeId]) -> Events:
    """In the worker's thread; ValueError, KeyError or TypeError when a block can't be read."""
    blocks: list[EventfulBlock] = []
    marks = [(tag, _place(runtime, name)) for name in NODE_FIELDS if (tag := runtime.event_tag(PALLET, name))]
    ids = {node.to_bytes(4, "little") for node in nodes}
    for ref, values in raws:
        spec = runtime.spec_of_block(values) or runtime.spec_version
        if spec != runtime.spec_version:
            return Events(blocks, spec)
        time_s = time_of(runtime, ref, values)
        data = bytes.fromhex(values.get(runtime.key("System", "Events"), "0x00").removeprefix("0x"))
        found: tuple[TimedEvent, ...] = ()
        if any(_shows(data, tag, at, ids) for tag, at in marks):
            events = (_event(record, time_s) for record in runtime.events("0x" + data.hex()))
            found = tuple(event for event in events if event is not None and event.node in nodes)
        blocks.append(EventfulBlock(TimedBlock(ref, time_s), found))
    return Events(blocks, runtime.spec_version)


def time_of(runtime: Runtime, ref: BlockRef, values: Values) -> int:
    """The block's own time in whole seconds, as the pallet counts; ValueError when it is not told."""
    data = values.get(runtime.key("Timestamp", "Now"))
    if data is None:
        if ref.number == 0:
            return 0
        raise ValueError(f"block {ref.number} has no time")
    return int(runtime.value("Timestamp", "Now", data)) // 1000


def _place(runtime: Runtime, name: str) -> int | None:
    """How far behind the event's tag the node's id begins; None where this runtime's event is another one."""
    fields, node = runtime.event_fields(PALLET, name), NODE_FIELDS[name]
    return 2 + 4 * node if set(fields[: node + 1]) == {"u32"} and len(fields) > node else None


def _shows(data: bytes, tag: bytes, at: int | None, ids: Collection[bytes]) -> bool:
    found = data.find(tag)
    while found >= 0:
        if at is None or data[found + at : found + at + 4] in ids:
            return True
        found = data.find(tag, found + 1)
    return False


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
