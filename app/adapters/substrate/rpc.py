"""JSON-RPC with one node: many requests and subscriptions at the same time on one WebSocket.

Nothing here needs the runtime's metadata. A request without an answer in time ends the connection: such a
node does not answer the next one either, and late answers would pile up.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.adapters.libraries.timeouts import timeout
from app.adapters.substrate.answers import Shape, read
from app.adapters.substrate.rpc_errors import EndpointFailed, RpcRefused
from app.adapters.substrate.socket_thread import SocketThread
from app.adapters.substrate.subscription import Subscription

BATCH_SIZE = 256
"""How many requests a JSON-RPC batch has. Nodes limit the size of a message."""
EARLY_UPDATES = 64
"""How many updates are kept that come before the confirmation of their subscription."""

NO_JSON_RPC = "it sent something that is not JSON-RPC"

Request = tuple[str, Sequence[Any]]

OnAnswer = Callable[[str, float], object]
"""Gets the connection's name, and the seconds that an answer took."""


def not_measured(name: str, took_s: float) -> None:
    """For connections that are not measured."""


@dataclass(slots=True)
class _Waiting:
    payload: dict[str, Any]
    answer: asyncio.Future[Any]
    subscription: Subscription | None
    in_batch: bool


class RpcConnection:
    """A connection to one endpoint, which its construction begins. ``name`` stands for it in messages."""

    def __init__(
        self, url: str, name: str, *, timeout_s: float, keepalive_s: float, on_answer: OnAnswer = not_measured
    ) -> None:
        self.name = name
        self.url = url
        self._keepalive_s = keepalive_s
        self._timeout_s = timeout_s
        self._heard_answer = on_answer
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._next_id = 1
        self._waiting: dict[int, _Waiting] = {}
        self._subscriptions: dict[Any, Subscription] = {}
        self._early: deque[tuple[Any, Any]] = deque(maxlen=EARLY_UPDATES)
        self._takes_batches = True
        self._ended: str | None = None
        self._socket = SocketThread(
            url, timeout_s, on_open=self._on_open, on_message=self._on_message, on_end=self._end
        )

    async def open(self, timeout_s: float) -> None:
        """Wait until the connection is open. Raises `EndpointFailed`."""
        try:
            async with timeout(timeout_s):
                await asyncio.shield(self._opened)
        except TimeoutError:
            self.close(f"no connection within {timeout_s:g} s")
            self.check()

    @property
    def usable(self) -> bool:
        return self._ended is None

    def check(self) -> None:
        """Raise `EndpointFailed` when the connection has ended."""
        if self._ended is not None:
            raise EndpointFailed(self.name, self._ended)

    def close(self, reason: str = "closed by us") -> None:
        """Close it now. Callers that wait get `EndpointFailed`."""
        self._end(reason)
        self._socket.stop()

    async def call(self, method: str, *params: Any) -> Any:
        """The result of one request. Raises `RpcRefused` or `EndpointFailed`."""
        (answer,) = await self._request([(method, params)])
        return _result(answer)

    async def ask_for(self, shape: type[Shape], method: str, *params: Any) -> Shape:
        """As `call`, with the result as ``shape``. Raises `EndpointFailed` if it has another shape."""
        return read(self.name, shape, await self.call(method, *params))

    async def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Results in the order of ``requests``. For a refused one it is an `RpcRefused` as a value."""
        answers: list[Any] = []
        for start in range(0, len(requests), BATCH_SIZE):
            answers += await self._request(requests[start : start + BATCH_SIZE])
        return answers

    async def subscribe(self, method: str, *params: Any, end: str) -> Subscription:
        """Begin a subscription, which the method ``end`` ends. Raises `RpcRefused` or `EndpointFailed`."""
        subscription = Subscription(end, self.check, lambda: self.call("chain_getHead"), self._keepalive_s)
        try:
            (answer,) = await self._request([(method, params)], subscription)
        except asyncio.CancelledError:
            if subscription.id is not None:
                self.unsubscribe(subscription)  # it was confirmed at the same moment
            raise
        _result(answer)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription, without waiting for the node's answer."""
        self._subscriptions.pop(subscription.id, None)
        if self.usable:
            self._socket.send(json.dumps(self._payload(subscription.end, [subscription.id])))

    # -- requests ----------------------------------------------------------------------------------

    async def _request(self, requests: Sequence[Request], subscription: Subscription | None = None) -> list[Any]:
        self.check()
        in_batch = self._takes_batches and len(requests) > 1
        loop = asyncio.get_running_loop()
        asked = [
            _Waiting(self._payload(method, params), loop.create_future(), subscription, in_batch)
            for method, params in requests
        ]
        self._waiting |= {entry.payload["id"]: entry for entry in asked}
        self._send(asked)
        sent_at_s = loop.time()
        try:
            async with timeout(self._timeout_s):
                answers = [await entry.answer for entry in asked]
            self._heard_answer(self.name, loop.time() - sent_at_s)
            return answers
        except TimeoutError:
            self.close(f"no answer to {requests[0][0]} within {self._timeout_s:g} s")
            raise EndpointFailed(self.name, self._ended or "") from None
        finally:
            for entry in asked:
                # A subscription without a waiting caller must be ended when the node confirms it.
                if entry.subscription is None or not entry.answer.cancelled():
                    self._waiting.pop(entry.payload["id"], None)

    def _send(self, entries: Sequence[_Waiting]) -> None:
        if entries[0].in_batch:
            self._socket.send(json.dumps([entry.payload for entry in entries]))
            return
        for entry in entries:
            self._socket.send(json.dumps(entry.payload))

    def _payload(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        payload = {"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": list(params)}
        self._next_id += 1
        return payload

    # -- called for the socket's thread ------------------------------------------------------------

    def _on_open(self) -> None:
        if not self._opened.done():
            self._opened.set_result(None)

    def _on_message(self, message: Any) -> None:
        try:
            for part in message if isinstance(message, list) else [message]:
                self._on_part(part)
        except TypeError:  # an id that is a list or an object
            self.close(NO_JSON_RPC)

    def _on_part(self, part: Any) -> None:
        if not isinstance(part, dict):
            self.close(NO_JSON_RPC)
        elif "method" in part:
            self._on_update(part.get("params"))
        elif part.get("id") is None:
            self._on_batch_refused()
        else:
            self._on_answer(part)

    def _on_answer(self, part: dict[str, Any]) -> None:
        entry = self._waiting.pop(part["id"], None)
        if entry is None:
            return  # no caller waits any more
        if entry.answer.done():
            if entry.subscription is not None and "error" not in part:
                entry.subscription.id = part.get("result")
                self.unsubscribe(entry.subscription)
            return
        if "error" in part:
            entry.answer.set_result(RpcRefused.read(entry.payload["method"], part["error"]))
            return
        if entry.subscription is not None:
            # At once, since updates may follow right after this answer.
            self._begin(entry.subscription, part.get("result"))
        entry.answer.set_result(part.get("result"))

    def _begin(self, subscription: Subscription, identifier: Any) -> None:
        subscription.id = identifier
        self._subscriptions[identifier] = subscription
        for early_identifier, update in self._early:
            if early_identifier == identifier:
                subscription.put(update)

    def _on_update(self, params: Any) -> None:
        if not isinstance(params, dict):
            return
        subscription = self._subscriptions.get(params.get("subscription"))
        if subscription is None:
            self._early.append((params.get("subscription"), params.get("result")))
        else:
            subscription.put(params.get("result"))

    def _on_batch_refused(self) -> None:
        """An answer without an id: this node takes no batches, so send the requests one by one."""
        self._takes_batches = False
        again = [entry for entry in self._waiting.values() if entry.in_batch]
        for entry in again:
            entry.in_batch = False
            self._send([entry])

    def _end(self, reason: str) -> None:
        if self._ended is not None:
            return
        self._ended = reason
        for future in (self._opened, *(entry.answer for entry in self._waiting.values())):
            if not future.done():
                future.set_exception(EndpointFailed(self.name, reason))
                future.exception()  # mark it as retrieved, since perhaps no caller waits
        for subscription in self._subscriptions.values():
            subscription.wake()


def _result(answer: Any) -> Any:
    if isinstance(answer, RpcRefused):
        raise answer
    return answer
