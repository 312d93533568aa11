"""Sends one request to zinit's socket and reads one answer, on a new connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal, Protocol

from app.domain.errors import HostPowerFailed

ANSWER_BYTES_MAX = 64 * 1024
READ_BYTES = 4096
SHOWN_MAX = 200

Order = Literal["shutdown", "reboot"]
Answer = dict[str, Any]
Ask = Callable[[bytes], Awaitable[Answer]]
"""Sends a request and returns the JSON object of the answer, or raises `HostPowerFailed`."""


class ZinitProtocol(Protocol):
    """The protocol of a range of zinit's versions: the modules `line_protocol` and `json_rpc`."""

    ANSWERS_AFTERWARDS: bool
    """Whether zinit answers an order only after it was carried out."""

    async def find_method(self, ask: Ask, order: Order) -> str:
        """Ask a harmless question, and return the method (before 0.2.15, the word) for the order."""
        ...

    async def give_order(self, ask: Ask, method: str) -> None:
        """Give the order. Returns when zinit accepted it; raises `Refused` if it does not."""
        ...


class Refused(HostPowerFailed):
    """zinit refused the order, so it will not carry it out later."""


async def exchange(socket: Path, request: bytes, sending: Callable[[], None] = lambda: None) -> Answer:
    """Send the request, read one whole JSON object, and close.

    ``sending`` is called right before the request is sent, after which it cannot be recalled. The caller sets
    the deadline. Raises ``OSError`` when the socket cannot be used, `HostPowerFailed` for an invalid answer.
    """
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        sending()
        writer.write(request)
        await writer.drain()
        return await _read_object(reader)
    finally:
        writer.transport.abort()  # nothing is left to write


async def _read_object(reader: asyncio.StreamReader) -> Answer:
    received = b""
    while len(received) <= ANSWER_BYTES_MAX:
        more = await reader.read(READ_BYTES)
        if not more and not received.strip():
            raise HostPowerFailed("zinit closed the connection without an answer; see zinit's log")
        received += more
        # Parse only what ends with a brace, as a whole object does.
        answer = _parsed(received) if received.rstrip().endswith(b"}") else None
        if isinstance(answer, dict):
            return answer
        if not more or received.lstrip()[:1] not in (b"", b"{"):
            raise unexpected(received)
    raise HostPowerFailed(f"zinit's answer has more than {ANSWER_BYTES_MAX} bytes; name zinit's socket in the settings")


def _parsed(received: bytes) -> object:
    try:
        return json.loads(received.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def unexpected(answer: object) -> HostPowerFailed:
    """The error for an answer that no known version of zinit gives."""
    shown = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else json.dumps(answer)
    return HostPowerFailed(
        f"zinit's answer is unknown to powerd: {shown[:SHOWN_MAX]!r}; this version of zinit may speak another"
        " protocol, or another program listens there"
    )
