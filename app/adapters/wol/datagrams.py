"""One socket for all magic packets, opened at the first one, and again after an error.

A wake sends ten packets, and a farm may have a thousand wakes at the same time. So a send is one system call
on the event loop, without a thread or a socket for each packet.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from typing import Any

from app.domain.errors import MagicPacketNotSent

RETRY_DELAYS_S = (0.002, 0.01, 0.05)
"""Pauses while the send buffer is full. A network card empties it within milliseconds."""

_FULL = {errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM}


class DatagramSocket:
    """Sends datagrams through a non-blocking socket that ``open_socket`` makes.

    ``explain`` makes a message with the remedy from an ``OSError``.
    """

    def __init__(self, open_socket: Callable[[], socket.socket], explain: Callable[[OSError], str]) -> None:
        self._open_socket = open_socket
        self._explain = explain
        self._socket: socket.socket | None = None

    async def send(self, payload: bytes, address: Any) -> None:
        """Send one datagram. Raises `MagicPacketNotSent` if the system did not take it."""
        for delay_s in (*RETRY_DELAYS_S, None):
            try:
                self._send_now(payload, address)
            except OSError as error:
                if error.errno not in _FULL or delay_s is None:
                    raise MagicPacketNotSent(self._explain(error)) from error
                await asyncio.sleep(delay_s)
            else:
                return

    def try_out(self, ask: Callable[[socket.socket], object]) -> None:
        """Call ``ask``, which must send nothing, with a new socket. Raises `MagicPacketNotSent`."""
        try:
            with self._open_socket() as tried:
                ask(tried)
                if error := tried.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    raise OSError(error, os.strerror(error))
        except OSError as error:
            raise MagicPacketNotSent(self._explain(error)) from error

    def close(self) -> None:
        """Close the socket. A later send opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send_now(self, payload: bytes, address: Any) -> None:
        if self._socket is not None:
            try:
                self._socket.sendto(payload, address)
            except OSError as error:
                if error.errno in _FULL:
                    raise
                # The interface may have been removed and made again, and only a new socket finds it.
                self.close()
            else:
                return
        self._socket = self._open_socket()
        try:
            self._socket.sendto(payload, address)
        except OSError as error:
            if error.errno not in _FULL:
                self.close()
            raise
