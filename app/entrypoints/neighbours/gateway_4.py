"""A stand-in for Zero-OS 4's api-gateway: no chain, a node that is always Up, and uptime for a registrar."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.adapters.codecs.go_types import BOOL, HASH, INT64, UINT64
from app.adapters.zbus.neighbours import NODE_POWER
from app.adapters.zbus.server import Served
from app.domain.model import FarmId, Node, NodeId, NodePower, Power, PowerState, TwinId
from app.entrypoints.neighbours.gateway import WHOLE_NODE, node_value, power_value

ALWAYS_UP = NodePower(PowerState(Power.UP), Power.UP)


class Gateway4:
    """The methods with the names that powerd calls. Each call is printed as a JSON array on one line."""

    def methods(self) -> Mapping[str, Served]:
        return {
            "GetPowerTarget": Served((), NODE_POWER, self._power),
            "SetNodePowerState": Served((BOOL,), HASH, self._set_state),
            "UpdateNodeUptimeV2": Served((UINT64, INT64), None, self._update_uptime),
            "GetNode": Served((UINT64,), WHOLE_NODE, self._node),
        }

    async def _power(self) -> Mapping[str, Any]:
        _log("GetPowerTarget")
        return power_value(ALWAYS_UP)

    async def _set_state(self, up: bool) -> bytes:
        _log("SetNodePowerState", up)
        return bytes(HASH.zero)

    async def _update_uptime(self, uptime_s: int, at_s: int) -> None:
        _log("UpdateNodeUptimeV2", uptime_s, at_s)

    async def _node(self, node: int) -> Mapping[str, Any]:
        _log("GetNode", node)
        return node_value(Node(NodeId(node), FarmId(1), TwinId(1), None))


def _log(method: str, *arguments: object) -> None:
    print(json.dumps([method, *arguments]), flush=True)
