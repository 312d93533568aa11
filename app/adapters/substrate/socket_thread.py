"""A WebSocket in a separate thread, for asyncio: send a message, get messages, end.

Only that thread uses the socket, since two threads must not read and write an OpenSSL socket at the same
time. It waits for the socket and for a wake-up at once. Any other thread can end it: it shuts the TCP
connection down, so that a blocked call returns at once. Then the thread closes everything, and ends.
"""

from __future__ import annotations

import asyncio
import json
import queue
import select
import socket
import threading
from collections.abc import Callable
from typing import Any

from app.adapters.substrate.dialling import DialledSocket, dial
from app.adapters.substrate.endings import why_ended

READABLE = select.POLLIN | select.POLLHUP | select.POLLERR


class SocketThread:
    """One connection, made and used in a running event loop.

    ``on_open``, ``on_message`` (with decoded JSON) and ``on_end`` (with the reason) are called on the loop,
    in this order; ``on_end`` is always called, exactly once. ``timeout_s`` bounds the connecting, and each
    wait for the rest of a message.
    """

    def __init__(
        self,
        url: str,
        timeout_s: float,
        *,
        on_open: Callable[[], None],
        on_message: Callable[[Any], None],
        on_end: Callable[[str], None],
    ) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._on_open = on_open
        self._on_message = on_message
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._outbox: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._is_open = False
        self._dialled = DialledSocket()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_out.setblocking(False)
        self._wake_lock = threading.Lock()
        threading.Thread(target=self._run, name="powerd-chain-socket", daemon=True).start()

    def send(self, text: str) -> None:
        """Queue one message. It is lost without an error if the connection ends before it is sent."""
        self._outbox.put(text)
        self._wake()

    def stop(self) -> None:
        """End the connection. Returns at once."""
        self._stopping.set()
        self._dialled.shut_down()
        self._wake()

    def _wake(self) -> None:
        with self._wake_lock:
            if self._wake_out.fileno() < 0:
                return
            try:
                self._wake_out.send(b"!")
            except BlockingIOError:
                return  # the socket is full of wake-ups, so the thread will wake

    # -- the thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        reason = "closed"
        try:
            reason = self._exchange()
        except Exception as error:  # noqa: BLE001 - libraries and peers fail in many ways
            reason = why_ended(error, opened=self._is_open)
        finally:
            self._dialled.close()
            with self._wake_lock:
                self._wake_in.close()
                self._wake_out.close()
            self._post(self._on_end, "closed by us" if self._stopping.is_set() else reason)

    def _exchange(self) -> str:
        websocket = dial(self._url, self._timeout_s, self._dialled)
        self._is_open = True
        self._post(self._on_open)
        poller = select.poll()
        poller.register(websocket.sock, READABLE)
        poller.register(self._wake_in, READABLE)
        while not self._stopping.is_set():
            ready = {descriptor for descriptor, _ in poller.poll()}
            if self._wake_in.fileno() in ready:
                self._send_all(websocket)
            if websocket.sock.fileno() in ready and not self._receive_all(websocket):
                return "the server closed the connection"
        return "closed"

    def _send_all(self, websocket: Any) -> None:
        self._wake_in.recv(4096)
        while not self._outbox.empty():
            websocket.send(self._outbox.get())

    def _receive_all(self, websocket: Any) -> bool:
        """Read all messages that are there (a TLS record may have several). False at the end of the connection."""
        from websocket import ABNF

        while True:
            # With control frames, since the call would else wait for the message after a ping.
            opcode, data = websocket.recv_data(control_frame=True)
            if opcode == ABNF.OPCODE_CLOSE:
                return False
            if opcode not in (ABNF.OPCODE_PING, ABNF.OPCODE_PONG):
                self._post(self._on_message, json.loads(data))
            pending = getattr(websocket.sock, "pending", None)
            if pending is None or not pending():
                return True

    def _post(self, callback: Callable[..., None], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            self._stopping.set()  # the loop is closed, so no caller listens any more
