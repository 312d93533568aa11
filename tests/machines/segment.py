"""The network segment of the machine's card, and the firmware that listens there while the machine is off."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

HEADER = b"\xff" * 6
REPEATS = 16


def calls(payload: bytes, mac: str) -> bool:
    """Whether a frame or a datagram holds the magic packet of this card, wherever in it."""
    return HEADER + bytes.fromhex(mac.replace(":", "")) * REPEATS in payload


@dataclass(slots=True)
class Segment(asyncio.DatagramProtocol):
    """Hears the frames of the machine's card, and the datagrams of the farm's other nodes."""

    mac: str
    called: asyncio.Event = field(default_factory=asyncio.Event)
    frames: int = 0

    def datagram_received(self, data: bytes, addr: tuple[str | None, int]) -> None:
        self.frames += 1
        if calls(data, self.mac):
            self.called.set()


async def plug_in(segment: Segment, host: str = "127.0.0.1") -> int:
    """The port on which it hears now; its transport ends with the loop."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: segment, local_addr=(host, 0), allow_broadcast=True)
    return int(transport.get_extra_info("sockname")[1])
