"""Hears magic packets on loopback, with the time of each."""

from __future__ import annotations

import asyncio
import socket
from time import perf_counter

HEAD = b"\xff" * 6
BROADCAST = "127.255.255.255"


class PacketEar(asyncio.DatagramProtocol):
    """When each MAC address was first called since `forget`."""

    def __init__(self) -> None:
        self.first_s: dict[bytes, float] = {}
        self._news = asyncio.Event()
        self.port = 0

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Note the address called, unless it was called already."""
        now_s = perf_counter()
        if data.startswith(HEAD):
            self.first_s.setdefault(data[6:12], now_s)
            self._news.set()

    async def open(self) -> asyncio.DatagramTransport:
        """Listen at a free port."""
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        listening.bind((BROADCAST, 0))
        self.port = listening.getsockname()[1]
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=listening)
        return transport

    async def heard(self, count: int) -> None:
        """Wait until this number of addresses was called."""
        async with asyncio.timeout(120):
            while len(self.first_s) < count:
                self._news.clear()
                await self._news.wait()

    def forget(self) -> None:
        """Forget all addresses."""
        self.first_s.clear()
