"""Hears magic packets that reach this machine, on every interface: bare frames, and UDP to the usual ports.

It does not hear what this machine sends. A bridge shows a frame twice, on its port and on itself. Needs CAP_NET_RAW.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import re
import socket
import struct
from collections.abc import AsyncGenerator, Sequence

from app.adapters.wol.raw import ETHERTYPE_WAKE_ON_LAN
from app.domain.errors import MagicPacketsNotHeard
from app.domain.model import Mac
from app.domain.values import value

USUAL_PORT_MAX = 9
"""UDP ports up to this one are heard: magic packets go to 9 (discard), 7 (echo) or 0 by custom."""

ETH_P_ALL, ETH_P_IP = 0x0003, 0x0800
PACKET_OUTGOING = 4
SO_ATTACH_FILTER = 26
FRAME_BYTES_MAX = 2048
HEADER_BYTES = 14
MAGIC = re.compile(rb"\xff{6}(?=(.{6}))(?:\1){16}", re.DOTALL)


@value
class Heard:
    """A magic packet for ``target`` that came in by ``interface``; ``ip`` is the sender's, empty for a bare frame."""

    target: Mac
    sender: str
    interface: str
    ip: str = ""


async def hear(port: int) -> AsyncGenerator[Heard]:
    """Yield each packet as it comes, for ever, also those to this UDP ``port``. The caller closes the generator.

    Raises `MagicPacketsNotHeard` where this user must not listen.
    """
    with _open(port) as ear:
        loop = asyncio.get_running_loop()
        while True:
            readable = asyncio.Event()
            loop.add_reader(ear, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(ear)
            for heard in _read(ear):
                yield heard


def _read(ear: socket.socket) -> list[Heard]:
    found: list[Heard] = []
    while True:
        try:
            frame, (interface, _, kind, *_) = ear.recvfrom(FRAME_BYTES_MAX)
        except BlockingIOError:
            return found
        except OSError as error:  # an interface went down; the others go on
            if error.errno != errno.ENETDOWN:
                raise
            continue
        if kind != PACKET_OUTGOING and (heard := heard_in(frame, interface)):
            found.append(heard)


def heard_in(frame: bytes, interface: str) -> Heard | None:
    """What an Ethernet frame says, if there is a magic packet in it."""
    magic = MAGIC.search(frame, HEADER_BYTES)
    if magic is None:
        return None
    try:
        target = Mac.parse(magic[1].hex(":"))
    except ValueError:
        return None
    is_ip = int.from_bytes(frame[12:14], "big") == ETH_P_IP
    return Heard(target, frame[6:12].hex(":"), interface, socket.inet_ntoa(frame[26:30]) if is_ip else "")


def _open(port: int) -> socket.socket:
    try:
        ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(ETH_P_ALL))
    except PermissionError as error:
        raise MagicPacketsNotHeard(
            "this user may not listen to frames (CAP_NET_RAW); run it as root, or as powerd's unit does"
        ) from error
    _attach(ear, _filter(port))
    return ear


def _filter(port: int) -> Sequence[tuple[int, int, int, int]]:
    """The kernel's filter (linux/filter.h): without it each frame at a busy card would cost a system call."""
    return (
        (0x28, 0, 0, 12),  # A = EtherType
        (0x15, 7, 0, ETHERTYPE_WAKE_ON_LAN),  # take it
        (0x15, 0, 7, ETH_P_IP),
        (0x30, 0, 0, 23),  # A = IPv4's protocol
        (0x15, 0, 5, socket.IPPROTO_UDP),
        (0xB1, 0, 0, HEADER_BYTES),  # X = length of IPv4's header
        (0x48, 0, 0, HEADER_BYTES + 2),  # A = destination port
        (0x25, 0, 1, USUAL_PORT_MAX),
        (0x15, 0, 1, port),
        (0x06, 0, 0, FRAME_BYTES_MAX),  # take it
        (0x06, 0, 0, 0),  # drop it
    )


def _attach(ear: socket.socket, program: Sequence[tuple[int, int, int, int]]) -> None:
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    memory = ctypes.create_string_buffer(code)
    ear.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(memory)))
