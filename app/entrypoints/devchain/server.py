"""Serves the dev chain's JSON-RPC over WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from app.entrypoints.devchain.admin import PREFIX as ADMIN
from app.entrypoints.devchain.endpoint import Endpoint
from app.entrypoints.devchain.node import DevNode
from app.entrypoints.devchain.rpc import Rpc, RpcError
from app.entrypoints.devchain.subscriptions import Subscriptions

MESSAGE_BYTES_MAX = 16 << 20
CLOSE_S = 1.0


SUBMISSIONS = ("author_submitExtrinsic", "author_submitAndWatchExtrinsic")


@asynccontextmanager
async def serving(node: DevNode, host: str, port: int) -> AsyncIterator[str]:
    """Listen at one endpoint and make blocks while the body runs; gives the URL (port 0: a free one)."""
    async with listening(Endpoint(node), host, port) as url, making_blocks(node):
        yield url


@asynccontextmanager
async def making_blocks(node: DevNode) -> AsyncIterator[None]:
    """Blocks come while the body runs."""
    async with asyncio.TaskGroup() as group:
        blocks = group.create_task(node.make_blocks(), name="blocks")
        yield
        blocks.cancel()


@asynccontextmanager
async def listening(endpoint: Endpoint, host: str, port: int) -> AsyncIterator[str]:
    """Answer at one endpoint while the body runs; gives its URL."""
    rpc = Rpc(endpoint)

    async def session(connection: ServerConnection) -> None:
        endpoint.connections.add(connection)
        try:
            await _Session(endpoint, rpc, connection).run()
        finally:
            endpoint.connections.discard(connection)

    async with serve(
        session, host, port, max_size=MESSAGE_BYTES_MAX, compression=None, close_timeout=CLOSE_S
    ) as server:
        address = next(iter(server.sockets)).getsockname()
        yield f"ws://{address[0]}:{address[1]}"


class _Session:
    """One connection: answers requests in order, and notifies its subscriptions of changes of the chain."""

    def __init__(self, endpoint: Endpoint, rpc: Rpc, connection: ServerConnection) -> None:
        self._endpoint = endpoint
        self._rpc = rpc
        self._connection = connection
        self._subscriptions = Subscriptions(endpoint, rpc)
        self._changed = asyncio.Event()

    async def run(self) -> None:
        undo = self._endpoint.node.when_changed(self._changed.set)
        try:
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._send_updates(), name="subscriptions")
                async for message in self._connection:
                    await self._answer(message)
                sending.cancel()
        except* ConnectionClosed:
            pass  # The client left, so no one waits for an answer.
        finally:
            undo()

    async def _send_updates(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._endpoint.silent:
                continue
            for update in self._subscriptions.updates():
                await self._send(update)

    async def _answer(self, message: str | bytes) -> None:
        try:
            request = json.loads(message)
        except ValueError:
            await self._send(_error(None, RpcError(-32700, "Parse error")))
            return
        methods = _methods(request)
        if self._endpoint.silent and not all(method.startswith(ADMIN) for method in methods):
            return
        if self._endpoint.drop_at and any(method in SUBMISSIONS for method in methods):
            when, self._endpoint.drop_at = self._endpoint.drop_at, ""
            if when == "after":
                self._answer_to(request)
            self._connection.transport.abort()
            return
        if self._endpoint.delay_s:
            await asyncio.sleep(self._endpoint.delay_s)
        await self._send(self._answer_to(request))
        if "dev_dropConnections" in methods:
            self._endpoint.drop_connections(but=self._connection)
        # A subscription's first update follows its id.
        self._changed.set()

    def _answer_to(self, request: Any) -> Any:
        return [self._one(each) for each in request] if isinstance(request, list) else self._one(request)

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


def _methods(request: Any) -> list[str]:
    requests = request if isinstance(request, list) else [request]
    return [str(each.get("method")) if isinstance(each, dict) else "" for each in requests]


def _error(request_id: Any, error: RpcError) -> dict[str, Any]:
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        body["data"] = error.data
    return {"jsonrpc": "2.0", "id": request_id, "error": body}
