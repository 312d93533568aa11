"""One socket for all magic packets, opened at the first one, and again after an error.

A wake sends ten packets, and a farm may have a thousand wakes at the same time. So a send is one system call
on the event loop, without a thread or a socket for each packet.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from abc import ABC, abstractmethod
from typing import Any

from app.adapters.wol.library import create_magic_packet
from app.domain.errors import MagicPacketNotSent
from app.domain.model import Mac

RETRY_DELAYS_S = (0.002, 0.01, 0.05)
"""Pauses while the send buffer is full. A network card empties it within milliseconds."""

_FULL = {errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM}


class DatagramMagicPackets(ABC):
    """`MagicPackets` through one non-blocking socket."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    @abstractmethod
    def _open(self) -> socket.socket: ...

    @abstractmethod
    def _address(self, mac: Mac) -> Any:
        """Where a packet for this card goes."""

    @abstractmethod
    def _probe(self, tried: socket.socket) -> None:
        """Fail as a send would, and send nothing."""

    def _is_elsewhere(self, opened: socket.socket) -> bool:  # noqa: ARG002 - those without a binding have none
        """Whether the socket is bound to another interface than the settings name by now."""
        return False

    @abstractmethod
    def _explain(self, error: OSError) -> str:
        """A message with the remedy."""

    async def send(self, mac: Mac) -> None:
        payload, address = create_magic_packet(mac.text), self._address(mac)
        for delay_s in (*RETRY_DELAYS_S, None):
            try:
                self._send_now(payload, address)
            except OSError as error:
                if error.errno not in _FULL or delay_s is None:
                    raise MagicPacketNotSent(self._explain(error)) from error
                await asyncio.sleep(delay_s)
            else:
                return

    def try_out(self) -> None:
        """Check, without sending, powerd's right to send, and that there is a way. Raises `MagicPacketNotSent`."""
        try:
            with self._open() as tried:
                self._probe(tried)
                if error := tried.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    raise OSError(error, os.strerror(error))
        except OSError as error:
            raise MagicPacketNotSent(self._explain(error)) from error

    async def close(self) -> None:
        self._close()

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send_now(self, payload: bytes, address: Any) -> None:
        if self._socket is not None and self._is_elsewhere(self._socket):
            self._close()
        if self._socket is not None:
            try:
                self._socket.sendto(payload, address)
            except OSError as error:
                if error.errno in _FULL:
                    raise
                # The interface may have been removed and made again, and only a new socket finds it.
                self._close()
            else:
                return
        self._socket = self._open()
        try:
            self._socket.sendto(payload, address)
        except OSError as error:
            if error.errno not in _FULL:
                self._close()
            raise
