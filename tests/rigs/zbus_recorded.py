"""The recorded calls between Go programs, and servers that give the recorded values."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from app.adapters.codecs.go_types import BOOL, HASH, STRING, TIME, UINT32, UINT64, GoType, Integer, Slice, decode
from app.adapters.codecs.zbus_frames import ObjectId, decode_request, decode_response
from app.adapters.zbus.neighbours import NODE_POWER
from app.adapters.zbus.server import Served, ZbusServer
from app.domain.errors import RetryableError
from app.entrypoints.neighbours.gateway import WHOLE_NODE

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "zbus_frames.json").read_text())

Signature = tuple[Sequence[GoType], GoType | None]

METHODS: Mapping[str, Mapping[str, Signature]] = {
    "registrar.registrar@0.0.1": {"NodeID": ((), UINT32), "TwinID": ((), UINT32)},
    "zui.zui@0.0.1": {"PushErrors": ((STRING, Slice(STRING)), None)},
    "api-gateway.api-gateway@0.0.1": {
        "GetPowerTarget": ((UINT32,), NODE_POWER),
        "GetNode": ((UINT32,), WHOLE_NODE),
        "GetNodes": ((UINT32,), Slice(UINT32)),
        "GetTime": ((), TIME),
        "GetZosVersion": ((), STRING),
        "SetNodePowerState": ((BOOL,), HASH),
        "UpdateNodeUptimeV2": ((UINT64, UINT64), HASH),
    },
    "probe.probe@0.0.1": {
        "Long": ((), STRING),
        "Nothing": ((), None),
        "OnlyError": ((BOOL,), None),
        "Panic": ((), None),
        "Ints": ((Integer(8, signed=True), *(UINT64,) * 3), None),
    },
}
"""The parts of the recorded objects that powerd's types can serve, by queue."""

NIL_SLICE = "an empty slice is written for a nil one"
NOT_AS_GO = {
    "api-gateway.GetNode(405)": "a value beside an error",
    **dict.fromkeys(("api-gateway.GetNode(7)", "api-gateway.GetNode(70000)", "api-gateway.GetNode(404)"), NIL_SLICE),
    **dict.fromkeys(("api-gateway.GetNodes(2) nil slice", "argument nil for uint32"), NIL_SLICE),
    "api-gateway.GetTime": "it is to the nanosecond, which is not read",
    "argument int -1 for uint32": "a number that does not fit is refused, not cut",
    "probe.Ints": "it gives several values",
    "probe.Ints arguments of other integer types": "it gives several values",
    "probe.Ints argument out of range": "a number that does not fit is refused, not cut",
}

RECORDED = [
    call
    for call in VECTORS["calls"]
    if call["queue"] in METHODS
    and "response" in call
    and call["name"] not in NOT_AS_GO
    and (call["means"]["Method"] in METHODS[call["queue"]] or call["answers"]["Error"])
]
FOREIGN = VECTORS["foreign_requests"]


def recorded(queue: str, method: str) -> Served:
    """A server that answers as the Go program did for the same arguments."""
    inputs, result = METHODS[queue][method]
    known = []
    for vector in [*VECTORS["calls"], *FOREIGN]:
        if vector["queue"] != queue or not vector.get("response") or vector["name"] in NOT_AS_GO:
            continue
        request, response = (decode(bytes.fromhex(vector[key])) for decode, key in _FRAMES)
        if request.method == method and len(request.inputs) == len(inputs):
            known.append((request.inputs, response))

    async def call(*arguments: Any) -> Any:
        for data, response in known:
            if arguments == tuple(_argument(type_, each) for type_, each in zip(inputs, data, strict=True)):
                if response.error is not None and "paniced" in response.error:
                    raise RuntimeError(response.error.partition("paniced: ")[2])
                if response.call_error:
                    raise RetryableError(response.call_error)
                return None if result is None else decode(result, response.data, "it")
        raise AssertionError(f"no caller called {method}{arguments}")

    return Served(tuple(inputs), result, call)


_FRAMES: Sequence[Any] = ((decode_request, "request"), (decode_response, "response"))


def _argument(type_: GoType, data: bytes) -> Any:
    if data == b"\xc0":
        return type_.zero
    try:
        return decode(type_, data, "it")
    except ValueError:
        return None


@asynccontextmanager
async def recorded_servers(url: str) -> AsyncIterator[None]:
    """Serve all of `METHODS` while the body runs."""
    async with AsyncExitStack() as stack:
        for queue, methods in METHODS.items():
            module, _, name = queue.partition(".")
            object_ = ObjectId(*name.split("@"))
            served = {object_: {method: recorded(queue, method) for method in methods}}
            await stack.enter_async_context(serving(ZbusServer(url, module, served, lambda: 0.0)))
        yield


@asynccontextmanager
async def serving(server: ZbusServer) -> AsyncIterator[ZbusServer]:
    """Run the server while the body runs."""
    running = asyncio.create_task(server.run(), name="server")
    try:
        yield server
        assert not running.done(), "it ended by itself"
    finally:
        running.cancel()
        await asyncio.wait([running])
        await server.close()
