"""Reads the primitives of Go's ``encoding/gob`` from a payload.

A payload is a sequence of messages: a length, then that many bytes. All other numbers and texts are
inside a message. Rules and limits are those of Go 1.25's decoder.
"""

from __future__ import annotations

from typing import NoReturn

MESSAGE_BYTES_MAX = 1 << 33
"""Go refuses messages and lengths of this many bytes or more."""


class GobError(ValueError):
    """The payload is invalid: ``reason``, at byte ``offset``."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason} (at offset {offset})")
        self.reason = reason
        self.offset = offset


class GobReader:
    """A place in a payload. ``position`` moves on with every read; ``end`` closes the current message."""

    __slots__ = ("end", "payload", "position")

    def __init__(self, payload: bytes, position: int = 0, end: int = 0) -> None:
        self.payload = payload
        self.position = position
        self.end = end

    def next_message(self) -> None:
        """Go to the next message, and skip the unread rest of the current one."""
        start = self.position = self.end
        self.end = len(self.payload)
        if start == self.end:
            self.fail("the payload ends where a message should begin")
        size = self.uint()
        if size >= MESSAGE_BYTES_MAX or size > self.end - self.position:
            self.fail(f"a message of {size} bytes is announced, {self.end - self.position} are there", start)
        self.end = self.position + size

    def at_end(self) -> bool:
        """Whether the current message was read to its end."""
        return self.position >= self.end

    def uint(self) -> int:
        """An unsigned number of 64 bits. Forms that are longer than needed are accepted."""
        start = self.position
        if start >= self.end:
            self.fail("the message ends where a number should be")
        lead = self.payload[start]
        if lead < 0x80:
            self.position = start + 1
            return lead
        width = 256 - lead
        if width > 8:
            self.fail(f"byte 0x{lead:02x} begins no number")
        stop = start + 1 + width
        if stop > self.end:
            self.fail(f"the message ends within a number of {width} bytes")
        self.position = stop
        return int.from_bytes(self.payload[start + 1 : stop], "big")

    def int64(self) -> int:
        value = self.uint()
        return ~(value >> 1) if value & 1 else value >> 1

    def int32(self) -> int:
        start = self.position
        value = self.int64()
        if not -(1 << 31) <= value < 1 << 31:
            self.fail(f"{value} does not fit a type id", start)
        return value

    def type_id(self) -> int:
        """The type id at the beginning of a message, cut to 32 bits as in Go."""
        return (self.int64() + (1 << 31)) % (1 << 32) - (1 << 31)

    def count(self) -> int:
        """How many elements follow. Go reads numbers from 2^63 on as negative, so none follow then."""
        value = self.uint()
        return value if value < 1 << 63 else 0

    def field_delta(self) -> int:
        """The distance from the last field of a struct to the next one; 0 ends the struct."""
        start = self.position
        delta = self.uint()
        if delta >= 1 << 63:
            self.fail("a field number goes backwards", start)
        return delta

    def text(self) -> bytes:
        """The bytes of a string or byte slice, after their length."""
        start = self.position
        size = self.uint()
        stop = self.position + size
        if stop > self.end:
            self.fail(f"{size} bytes are announced, the message has {self.end - self.position} left", start)
        text = self.payload[self.position : stop]
        self.position = stop
        return text

    def fail(self, reason: str, offset: int | None = None) -> NoReturn:
        """Raise `GobError` at ``offset``, or at the current place."""
        raise GobError(reason, self.position if offset is None else offset)
