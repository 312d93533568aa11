"""A Substrate node on a WebSocket whose every answer the test writes, and that can misbehave.

It runs in the test's own event loop. What no real node can be asked to do goes here; everything else
is tested against the dev chain.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

GENESIS = "0x" + "aa" * 32
SUBSCRIPTION = "sub-1"


@dataclass(frozen=True)
class Refusal:
    """An answer with JSON-RPC's ``error`` member."""

    code: int
    message: str
    data: object = None

    def member(self) -> dict[str, Any]:
        shown = {"code": self.code, "message": self.message}
        return shown if self.data is None else {**shown, "data": self.data}


@dataclass
class ScriptedNode:
    """``answers`` maps a method to its result, or to a function of the parameters that makes it.

    ``updates`` are sent after the confirmation of the subscription to that method (``early``: before it).
    Methods in ``silent`` are never answered; one in ``drop_at`` ends the connection.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    updates: dict[str, list[Any]] = field(default_factory=dict)
    early: bool = False
    silent: set[str] = field(default_factory=set)
    drop_at: set[str] = field(default_factory=set)
    takes_batches: bool = True
    raw: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, list[Any]]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    connections: set[ServerConnection] = field(default_factory=set)
    port: int = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def methods(self) -> list[str]:
        return [method for method, _ in self.asked]

    async def push(self, update: Any) -> None:
        """An update to every connection."""
        for connection in self.connections:
            await connection.send(json.dumps(_update(update)))

    async def hang_up(self) -> None:
        """End all connections without a farewell."""
        for connection in list(self.connections):
            connection.transport.abort()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[ScriptedNode]:
        async with serve(self._converse, "127.0.0.1", self.port, max_size=None, close_timeout=0.1) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            yield self
            await self.hang_up()

    async def _converse(self, connection: ServerConnection) -> None:
        self.connections.add(connection)
        assert connection.request is not None
        self.headers.append(connection.request.headers)
        with contextlib.suppress(ConnectionClosed):
            async for text in connection:
                await self._receive(connection, json.loads(text))
        self.connections.discard(connection)

    async def _receive(self, connection: ServerConnection, message: Any) -> None:
        if not isinstance(message, list):
            message_out = await self._answer(connection, [message])
            await self._send(connection, [message], message_out[0] if message_out else None)
        elif self.takes_batches:
            await self._send(connection, message, await self._answer(connection, message))
        else:
            error = Refusal(-32600, "Batched requests are not supported by this server").member()
            await connection.send(json.dumps({"jsonrpc": "2.0", "id": None, "error": error}))

    async def _answer(self, connection: ServerConnection, requests: list[dict[str, Any]]) -> list[Any]:
        replies = []
        for request in requests:
            method = request["method"]
            self.asked.append((method, request["params"]))
            if method in self.drop_at:
                connection.transport.abort()
            elif method in self.raw:
                await connection.send(self.raw[method])
            elif method not in self.silent:
                replies.append(self._reply(request))
        return replies

    async def _send(self, connection: ServerConnection, requests: list[dict[str, Any]], reply: Any) -> None:
        updates = [json.dumps(_update(u)) for r in requests for u in self.updates.get(r["method"], [])]
        messages = [json.dumps(reply)] if reply else []
        for text in updates + messages if self.early else messages + updates:
            await connection.send(text)

    def _reply(self, request: dict[str, Any]) -> dict[str, Any]:
        method, params = request["method"], request["params"]
        answer = self.answers.get(method, Refusal(-32601, "Method not found"))
        if method == "chain_getBlockHash" and params == [0]:
            answer = self.answers.get("genesis", GENESIS)
        if isinstance(answer, Callable):  # type: ignore[arg-type]
            answer = answer(*params)
        reply = {"jsonrpc": "2.0", "id": request["id"]}
        if isinstance(answer, Refusal):
            return {**reply, "error": answer.member()}
        return {**reply, "result": answer}


def _update(update: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": "update", "params": {"subscription": SUBSCRIPTION, "result": update}}


@contextlib.asynccontextmanager
async def mute_listener() -> AsyncIterator[str]:
    """An endpoint that accepts connections and never says a word; its URL."""

    async def stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while await reader.read(1024):
                pass
        writer.close()

    server = await asyncio.start_server(stay, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
