"""A Substrate node on a WebSocket that answers as the test says, and can have faults.

Requests without a scripted answer go to ``upstream``, a dev chain, if there is one: so a test can spoil one
answer of an otherwise honest node. It runs in the test's own event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
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

    ``updates`` are sent behind the answer to that method (``early``: before it). Methods in ``silent``
    are never answered; those in ``drop_at`` end the connection at once, those in ``drop_after`` when
    upstream has answered; ``raw`` is sent as it stands.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    updates: dict[str, list[Any]] = field(default_factory=dict)
    early: bool = False
    silent: set[str] = field(default_factory=set)
    drop_at: set[str] = field(default_factory=set)
    drop_after: set[str] = field(default_factory=set)
    raw: dict[str, str] = field(default_factory=dict)
    takes_batches: bool = True
    upstream: str = ""
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

    def hang_up(self) -> None:
        """Drop all connections."""
        for connection in list(self.connections):
            connection.transport.abort()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[ScriptedNode]:
        async with serve(self._converse, "127.0.0.1", self.port, max_size=None, close_timeout=0.1) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            yield self
            self.hang_up()

    async def _converse(self, client: ServerConnection) -> None:
        self.connections.add(client)
        assert client.request is not None
        self.headers.append(client.request.headers)
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(contextlib.suppress(ConnectionClosed))
            upstream = None
            if self.upstream:
                upstream = await stack.enter_async_context(connect(self.upstream, max_size=None, close_timeout=0.1))
            await _Conversation(self, client, upstream).run()
        self.connections.discard(client)


class _Conversation:
    """One connection to a `ScriptedNode`."""

    def __init__(self, node: ScriptedNode, client: ServerConnection, upstream: ClientConnection | None) -> None:
        self._node = node
        self._client = client
        self._upstream = upstream
        self._fatal_ids: set[int] = set()

    async def run(self) -> None:
        relay = asyncio.ensure_future(self._relay())
        try:
            async for text in self._client:
                message = json.loads(text)
                if isinstance(message, list) and not self._node.takes_batches:
                    error = Refusal(-32600, "Batched requests are not supported by this server").member()
                    await self._client.send(json.dumps({"jsonrpc": "2.0", "id": None, "error": error}))
                else:
                    await self._take(message if isinstance(message, list) else [message])
        finally:
            relay.cancel()

    async def _relay(self) -> None:
        """From upstream to the client."""
        if self._upstream is None:
            return
        with contextlib.suppress(ConnectionClosed):
            async for text in self._upstream:
                message = json.loads(text)
                parts = message if isinstance(message, list) else [message]
                if any(part.get("id") in self._fatal_ids for part in parts):
                    self._client.transport.abort()
                    return
                await self._client.send(text)

    async def _take(self, requests: Sequence[dict[str, Any]]) -> None:
        replies, forwarded, updates = [], [], []
        for request in requests:
            method = request["method"]
            self._node.asked.append((method, request["params"]))
            updates += self._node.updates.get(method, [])
            if method in self._node.drop_at:
                self._client.transport.abort()
                return
            if method in self._node.drop_after:
                self._fatal_ids.add(request["id"])
            if method in self._node.silent:
                continue
            if method in self._node.raw:
                await self._client.send(self._node.raw[method])
            elif method in self._node.answers or self._upstream is None:
                replies.append(self._reply(request))
            else:
                forwarded.append(request)
        if self._upstream is not None and forwarded:
            await self._upstream.send(json.dumps(forwarded if len(forwarded) > 1 else forwarded[0]))
        told = [json.dumps(_update(update)) for update in updates]
        said = [json.dumps(replies if len(requests) > 1 else replies[0])] if replies else []
        for text in told + said if self._node.early else said + told:
            await self._client.send(text)

    def _reply(self, request: dict[str, Any]) -> dict[str, Any]:
        method, params = request["method"], request["params"]
        answer = self._node.answers.get(method, Refusal(-32601, "Method not found"))
        if method == "chain_getBlockHash" and params == [0] and self._upstream is None:
            answer = self._node.answers.get("genesis", GENESIS)
        if callable(answer):
            answer = answer(*params)
        reply = {"jsonrpc": "2.0", "id": request["id"]}
        if isinstance(answer, Refusal):
            return {**reply, "error": answer.member()}
        return {**reply, "result": answer}


def _update(update: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": "update", "params": {"subscription": SUBSCRIPTION, "result": update}}


@contextlib.asynccontextmanager
async def mute_listener() -> AsyncIterator[str]:
    """The URL of an endpoint that accepts connections and never answers."""

    async def stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while await reader.read(1024):
                pass
        writer.close()

    server = await asyncio.start_server(stay, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
