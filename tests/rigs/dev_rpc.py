"""One WebSocket connection to a dev chain's endpoint, to ask plain questions and to cause faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import websocket

from tests.slowness import patient


class Refused(Exception):
    """An error that the node answered with."""


class Line:
    """One connection to an endpoint."""

    def __init__(self, url: str) -> None:
        self._socket = websocket.create_connection(url, timeout=patient(30))
        self._last = 0

    def ask(self, method: str, *params: object) -> Any:
        self.send(method, *params)
        message: dict[str, Any] = {}
        while message.get("id") != self._last:
            message = json.loads(self._socket.recv())
        if "error" in message:
            raise Refused(message["error"]["message"])
        return message["result"]

    def send(self, method: str, *params: object) -> None:
        self._last += 1
        self._socket.send(json.dumps({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params}))

    def wait_for_end(self) -> None:
        with suppress(websocket.WebSocketConnectionClosedException, ConnectionError):
            while True:
                self._socket.recv()

    def is_quiet_for(self, seconds: float) -> bool:
        self._socket.settimeout(seconds)
        try:
            self._socket.recv()
        except websocket.WebSocketTimeoutException:
            return True
        finally:
            self._socket.settimeout(10)
        return False

    def height(self) -> int:
        return int(self.ask("chain_getHeader")["number"], 16)

    def close(self) -> None:
        self._socket.close()


@contextmanager
def line(url: str) -> Iterator[Line]:
    """A connection that ends with the body."""
    made = Line(url)
    try:
        yield made
    finally:
        made.close()
