"""An api-gateway over zbus that a test can slow down, or let fail method by method."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from app.adapters.codecs.go_types import BOOL, HASH, TIME, UINT32, UINT64
from app.adapters.zbus.dialect import ANY_NODE
from app.adapters.zbus.neighbours import GATEWAY, NODE_POWER
from app.adapters.zbus.server import Served, ZbusServer
from app.domain.errors import RetryableError
from app.domain.model import FarmId, Node, NodeId, NodePower, Power, PowerState, TwinId, UptimeSample
from app.entrypoints.demo.redis_server import RedisServer
from app.entrypoints.neighbours.gateway import TIMES, WHOLE_NODE, node_value, power_value
from tests.rigs.zbus_recorded import serving

HERE, GONE = NodeId(1), NodeId(404)
UP = NodePower(PowerState(Power.UP), Power.UP)
BLOCK = bytes(range(32))


class Gateway:
    """Answers every call, except the methods in ``failing`` and calls about node `GONE`.

    ``seen`` lists the calls. Each call sets ``begun``, and then waits for ``go_on``.
    """

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.failing: set[str] = set()
        self.ahead_s = 0
        self.millisecond = 147
        self.time = "go"

    def methods(self) -> Mapping[str, Served]:
        return {
            "GetPowerTarget": Served((UINT32,), NODE_POWER, self._power),
            "GetNode": Served((UINT32,), WHOLE_NODE, self._node),
            "GetTime": Served((), TIME, self._time),
            "SetNodePowerState": Served((BOOL,), HASH, self._set),
            "UpdateNodeUptimeV2": Served((UINT64, UINT64), HASH, self._report),
        }

    async def _see(self, method: str, what: Any) -> None:
        self.seen.append(what)
        self.begun.set()
        await self.go_on.wait()
        if what == GONE or method in self.failing:
            raise RetryableError(f"{method} failed")

    async def _power(self, node: int) -> Mapping[str, Any]:
        if node == ANY_NODE:  # whether it is Zero-OS 3's gateway
            return power_value(UP)
        await self._see("GetPowerTarget", node)
        return power_value(UP)

    async def _node(self, node: int) -> Mapping[str, Any]:
        await self._see("GetNode", node)
        return node_value(Node(NodeId(node), FarmId(1), TwinId(2), None))

    async def _time(self) -> int:
        await self._see("GetTime", "time")
        return TIMES[self.time]((int(time.time()) + self.ahead_s) * 1000 + self.millisecond)

    async def _set(self, up: bool) -> bytes:
        await self._see("SetNodePowerState", up)
        return BLOCK

    async def _report(self, uptime_s: int, at_s: int) -> bytes:
        await self._see("UpdateNodeUptimeV2", uptime_s)
        return BLOCK


@asynccontextmanager
async def gateway(redis_server: RedisServer, methods: Mapping[str, Served] | None = None) -> AsyncIterator[Gateway]:
    made = Gateway()
    served = made.methods() if methods is None else methods
    async with serving(
        ZbusServer(redis_server.url(), GATEWAY.module, {GATEWAY.object: served}, lambda: 0.0, workers=1)
    ):
        yield made


def sample() -> UptimeSample:
    return UptimeSample(3600, int(time.time()))
