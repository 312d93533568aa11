"""A stand-in for api-gateway: one worker, backed by a real chain, answering in the recorded frames' types.

What it does badly it does as the Go program: it answers to an uptime report that the chain refused as if
it had been taken, and the chain's time is wrong by its milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.adapters.codecs.go_types import BOOL, HASH, NANOSECONDS, STRING, TIME, UINT32, UINT64, Slice, Struct
from app.adapters.zbus.neighbours import INTERFACE, NODE_POWER
from app.adapters.zbus.server import Served
from app.domain.errors import ChainUnavailable, ExtrinsicFailed
from app.domain.model import FarmId, HeadKind, Inclusion, Node, NodeId, NodePower, Power, Unreadable, UptimeSample
from app.ports.chain import Chain

IP_AND_GATEWAY = Struct("IP", (("IP", STRING), ("GW", STRING)))
PUBLIC_CONFIG = Struct(
    "PublicConfig",
    (
        ("IP4", IP_AND_GATEWAY),
        ("IP6", Struct("OptionIP", (("HasValue", BOOL), ("AsValue", IP_AND_GATEWAY)))),
        ("Domain", Struct("OptionDomain", (("HasValue", BOOL), ("AsValue", STRING)))),
    ),
)
WHOLE_NODE = Struct(
    "Node",
    (
        ("Version", UINT32),
        ("ID", UINT32),
        ("FarmID", UINT32),
        ("TwinID", UINT32),
        ("Resources", Struct("Resources", tuple((unit, UINT64) for unit in ("HRU", "SRU", "CRU", "MRU")))),
        ("Location", Struct("Location", tuple((n, STRING) for n in ("City", "Country", "Latitude", "Longitude")))),
        ("PublicConfig", Struct("OptionPublicConfig", (("HasValue", BOOL), ("AsValue", PUBLIC_CONFIG)))),
        ("Created", UINT64),
        ("FarmingPolicy", UINT32),
        ("Interfaces", Slice(INTERFACE)),
        ("Certification", Struct("Certification", (("IsDiy", BOOL), ("IsCertified", BOOL)))),
        ("SecureBoot", BOOL),
        ("Virtualized", BOOL),
        ("BoardSerial", Struct("OptionBoardSerial", (("HasValue", BOOL), ("AsValue", STRING)))),
        ("ConnectionPrice", UINT32),
    ),
)
RECORDED: Mapping[str, Any] = {
    **WHOLE_NODE.zero,
    "Version": 4,
    "Resources": {"HRU": 9001778946048, "SRU": 512110190592, "CRU": 8, "MRU": 33520074752},
    "Location": {"City": "Lochristi", "Country": "Belgium", "Latitude": "51.1", "Longitude": "3.8333"},
    "Created": 1712345678,
    "FarmingPolicy": 1,
    "Certification": {"IsDiy": True, "IsCertified": False},
    "ConnectionPrice": 80,
}
"""The fields of a recorded record that powerd does not read."""
IPS = ("10.1.0.7", "2a10:b600:0:9:225:90ff:fe0a:bb61")


def power_value(power: NodePower) -> Mapping[str, Any]:
    """The power as the Go struct ``NodePower``."""
    state, target = power.state.power, power.target
    return {
        "State": {**_flags(state), "AsDownBlockNumber": power.state.since_block or 0},
        "Target": _flags(target),
    }


def node_value(node: Node) -> Mapping[str, Any]:
    """The record as the Go struct ``Node``."""
    interfaces = [] if node.mac is None else [{"Name": "zos", "Mac": str(node.mac), "IPs": IPS}]
    return {**RECORDED, "ID": node.id, "FarmID": node.farm, "TwinID": node.twin, "Interfaces": interfaces}


MILLISECONDS = 1000

EncodeTime = Callable[[int], int]
"""The answer of ``GetTime``, in nanoseconds, for a block's time in milliseconds."""


def as_go(time_ms: int) -> int:
    """The Go library (go-substrate-rpc-client 4.2.1) reads the milliseconds as seconds."""
    return sum(divmod(time_ms, MILLISECONDS)) * NANOSECONDS


def whole_seconds(time_ms: int) -> int:
    """A fixed library that cuts off the milliseconds."""
    return time_ms // MILLISECONDS * NANOSECONDS


def exactly(time_ms: int) -> int:
    """A fixed library that keeps the milliseconds."""
    return time_ms * NANOSECONDS // MILLISECONDS


TIMES: Mapping[str, EncodeTime] = {"go": as_go, "whole": whole_seconds, "exact": exactly}


class Gateway:
    """The methods that powerd calls, on the chain of this node."""

    def __init__(self, chain: Chain, encode_time: EncodeTime = as_go) -> None:
        self._chain = chain
        self._encode_time = encode_time

    def methods(self) -> Mapping[str, Served]:
        return {
            "GetPowerTarget": Served((UINT32,), NODE_POWER, self._power),
            "GetNode": Served((UINT32,), WHOLE_NODE, self._node),
            "GetNodes": Served((UINT32,), Slice(UINT32), self._nodes),
            "GetTime": Served((), TIME, self._time),
            "SetNodePowerState": Served((BOOL,), HASH, self._set_state),
            "UpdateNodeUptimeV2": Served((UINT64, UINT64), HASH, self._update_uptime),
        }

    async def _power(self, node: int) -> Mapping[str, Any]:
        reading = await self._chain.powers([NodeId(node)], HeadKind.BEST)
        power = reading.powers[NodeId(node)]
        if not isinstance(power, NodePower):
            raise ChainUnavailable(f"failed to lookup power target: {power.reason}")
        return power_value(power)

    async def _node(self, node: int) -> Mapping[str, Any]:
        found = await self._chain.nodes([NodeId(node)])
        record = found.get(NodeId(node))
        if record is None:
            raise ChainUnavailable("object not found")
        if isinstance(record, Unreadable):
            raise ChainUnavailable(record.reason)
        return node_value(record)

    async def _nodes(self, farm: int) -> tuple[int, ...]:
        return tuple(await self._chain.farm_nodes(FarmId(farm)))

    async def _time(self) -> int:
        head = await self._chain.head(HeadKind.BEST)
        if head is None:
            raise ChainUnavailable("failed to get the chain's time")
        return self._encode_time(round(head.time_s * MILLISECONDS))

    async def _set_state(self, up: bool) -> bytes:
        return _hash(await self._chain.set_power_state(Power.UP if up else Power.DOWN))

    async def _update_uptime(self, uptime_s: int, at_s: int) -> bytes:
        try:
            return _hash(await self._chain.report_uptime(lambda: UptimeSample(uptime_s, at_s)))
        except ExtrinsicFailed as error:
            return _bytes(error.block_hash)


def _hash(inclusion: Inclusion) -> bytes:
    return _bytes(inclusion.block_hash)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _flags(power: Power) -> dict[str, bool]:
    return {"IsUp": power is Power.UP, "IsDown": power is Power.DOWN}
