"""Opens a WebSocket: tries every address of the host, and can be interrupted.

This module makes the TCP connection itself. websocket-client gives up at the first address that times out
(a broken IPv6 route would hide a working IPv4 one), and cannot be interrupted.
"""

from __future__ import annotations

import base64
import socket
import ssl
import threading
import time
from typing import Any
from urllib.parse import unquote, urlsplit

ADDRESS_TIMEOUT_S_MIN = 1.0
OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    # powerd notices within a minute that a router has dropped an idle connection.
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)


class DialledSocket:
    """The socket of one attempt, which another thread can shut down at any moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._shut = False

    def hold(self, sock: socket.socket) -> None:
        """Set the socket. Raises `ConnectionAbortedError` after `shut_down`."""
        with self._lock:
            self._socket = sock
            if self._shut:
                raise ConnectionAbortedError("closed by us")

    def shut_down(self) -> None:
        """Make every call on the socket return at once. The descriptor stays open, for its owner to close."""
        with self._lock:
            self._shut = True
            if self._socket is None or self._socket.fileno() < 0:
                return
            try:
                # Not SSLSocket.shutdown, which would end TLS while another thread reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            except OSError:
                return  # it is not connected, so no call waits on it

    def close(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()


def dial(url: str, timeout_s: float, dialled: DialledSocket) -> Any:
    """A connected ``websocket.WebSocket``, on which each wait takes at most ``timeout_s``.

    Raises OSError (also for TLS and unknown hosts), ValueError for an invalid URL, and the errors of
    websocket-client.
    """
    import websocket

    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError("the URL must look like wss://host:port/path")
    secure = parts.scheme == "wss"
    sock = _connect(parts.hostname, parts.port or (443 if secure else 80), timeout_s, dialled)
    if secure:
        # wrap_socket detaches the raw socket; so hold the new one before the handshake.
        context = ssl.create_default_context()
        sock = context.wrap_socket(sock, server_hostname=parts.hostname, do_handshake_on_connect=False)
        dialled.hold(sock)
        sock.do_handshake()
    header = []
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        header.append("Authorization: Basic " + base64.b64encode(credentials.encode()).decode())
    client: Any = websocket.WebSocket(enable_multithread=False, skip_utf8_validation=True)
    # A node answers a request with an origin, as browsers send, only if its operator allows it.
    client.connect(url, socket=sock, timeout=timeout_s, header=header, redirect_limit=0, suppress_origin=True)
    client.settimeout(timeout_s)
    return client


def _connect(host: str, port: int, timeout_s: float, dialled: DialledSocket) -> socket.socket:
    deadline_s = time.monotonic() + timeout_s
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    problem: OSError = OSError(f"{host} has no address")
    for index, (family, kind, protocol, _, address) in enumerate(addresses):
        share_s = (deadline_s - time.monotonic()) / (len(addresses) - index)
        sock = socket.socket(family, kind, protocol)
        try:
            dialled.hold(sock)
            sock.settimeout(max(share_s, ADDRESS_TIMEOUT_S_MIN))
            sock.connect(address)
        except ConnectionAbortedError:
            sock.close()
            raise
        except OSError as error:
            sock.close()
            problem = error
            continue
        sock.settimeout(timeout_s)
        for level, option, value in OPTIONS:
            sock.setsockopt(level, option, value)
        return sock
    raise problem
