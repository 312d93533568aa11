"""One question and one answer over zinit's socket, on a connection of its own."""

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
"""Sends a request, and gives the JSON object that comes back; `HostPowerFailed` when none does."""


class Speech(Protocol):
    """How a range of zinit's versions is talked to: the modules `line_protocol` and `json_rpc`."""

    ANSWERS_AFTERWARDS: bool
    """Whether an order is answered only when it is carried out."""

    async def find_word(self, ask: Ask, order: Order) -> str:
        """Ask something that harms nothing, and return the word (or method) for the order."""
        ...

    async def give_order(self, ask: Ask, word: str) -> None:
        """Returns once zinit accepted it; `Refused` if it does not."""
        ...


class Refused(HostPowerFailed):
    """zinit said no, in so many words: it will not do it later either."""


async def exchange(socket: Path, request: bytes, sending: Callable[[], None] = lambda: None) -> Answer:
    """Send the request, read until one whole JSON object is there, and close.

    ``sending`` is called right before the request leaves: from then on it can't be recalled. The
    caller sets the deadline. ``OSError`` when the socket can't be used, `HostPowerFailed` when the
    answer is none. A connection that stays open after the answer is not waited for.
    """
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        sending()
        writer.write(request)
        await writer.drain()
        return await _read_object(reader)
    finally:
        writer.transport.abort()  # nothing more has to be written


async def _read_object(reader: asyncio.StreamReader) -> Answer:
    received = b""
    while len(received) <= ANSWER_BYTES_MAX:
        more = await reader.read(READ_BYTES)
        if not more and not received.strip():
            raise HostPowerFailed("zinit closed the connection without an answer; see zinit's log")
        received += more
        # An object ends with its brace: before that, parsing is in vain.
        answer = _parsed(received) if received.rstrip().endswith(b"}") else None
        if isinstance(answer, dict):
            return answer
        if not more or received.lstrip()[:1] not in (b"", b"{"):
            raise unexpected(received)
    raise HostPowerFailed(f"zinit's answer has more than {ANSWER_BYTES_MAX} bytes; is it zinit that listens there?")


def _parsed(received: bytes) -> object:
    try:
        return json.loads(received.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def unexpected(answer: object) -> HostPowerFailed:
    """The error for an answer that zinit never gives."""
    shown = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else json.dumps(answer)
    return HostPowerFailed(
        f"zinit gave an answer powerd does not know: {shown[:SHOWN_MAX]!r}; this version of zinit may speak another"
        " protocol, or something else listens there"
    )
