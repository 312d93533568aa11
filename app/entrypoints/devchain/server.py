"""Serves the dev chain's JSON-RPC over WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from app.entrypoints.devchain.node import DevNode
from app.entrypoints.devchain.rpc import Rpc, RpcError
from app.entrypoints.devchain.subscriptions import Subscriptions

MESSAGE_BYTES_MAX = 16 << 20


@asynccontextmanager
async def serving(node: DevNode, host: str, port: int) -> AsyncIterator[str]:
    """Listen and make blocks while the body runs; gives the URL (port 0: a free one)."""
    rpc = Rpc(node)

    async def session(connection: ServerConnection) -> None:
        await _Session(node, rpc, connection).run()

    async with (
        serve(session, host, port, max_size=MESSAGE_BYTES_MAX, compression=None) as server,
        asyncio.TaskGroup() as group,
    ):
        blocks = group.create_task(node.make_blocks(), name="blocks")
        address = next(iter(server.sockets)).getsockname()
        yield f"ws://{address[0]}:{address[1]}"
        blocks.cancel()


class _Session:
    """One connection: answers requests in order, and tells its subscriptions when the chain changes."""

    def __init__(self, node: DevNode, rpc: Rpc, connection: ServerConnection) -> None:
        self._node = node
        self._rpc = rpc
        self._connection = connection
        self._subscriptions = Subscriptions(node, rpc)
        self._changed = asyncio.Event()

    async def run(self) -> None:
        undo = self._node.when_changed(self._changed.set)
        try:
            async with asyncio.TaskGroup() as group:
                telling = group.create_task(self._tell(), name="subscriptions")
                async for message in self._connection:
                    await self._answer(message)
                telling.cancel()
        except* ConnectionClosed:
            pass  # The client left; nobody is there to be told.
        finally:
            undo()

    async def _tell(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            for update in self._subscriptions.updates():
                await self._send(update)

    async def _answer(self, message: str | bytes) -> None:
        try:
            request = json.loads(message)
        except ValueError:
            await self._send(_error(None, RpcError(-32700, "Parse error")))
            return
        if isinstance(request, list):
            await self._send([self._one(each) for each in request])
        else:
            await self._send(self._one(request))
        # A subscription's first news follow its id.
        self._changed.set()

    def _one(self, request: Any) -> dict[str, Any]:
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return _error(None, RpcError(-32600, "Invalid Request"))
        method, params = request["method"], request.get("params") or []
        try:
            subscription = self._subscriptions.begin(method, params)
            if subscription is not None:
                return {"jsonrpc": "2.0", "id": request.get("id"), "result": subscription.id}
            ended = self._subscriptions.end(method, params)
            result = self._rpc.call(method, params) if ended is None else ended
            return {"jsonrpc": "2.0", "id": request.get("id"), "result": result}
        except RpcError as error:
            return _error(request.get("id"), error)

    async def _send(self, message: Any) -> None:
        await self._connection.send(json.dumps(message, separators=(",", ":")))


def _error(request_id: Any, error: RpcError) -> dict[str, Any]:
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        body["data"] = error.data
    return {"jsonrpc": "2.0", "id": request_id, "error": body}
