"""The mark in a file of events with its last block: ``{"event":"ReadUpTo","block":708,"hash":"0x…","time":N}``."""

from __future__ import annotations

import msgspec

from app.domain.blocks import BlockRef
from app.domain.minting.events import TimedBlock

SIGN = b'{"event":"ReadUpTo"'
"""The beginning of such a line, and of no other."""


class _Mark(msgspec.Struct, tag_field="event", tag="ReadUpTo"):
    block: int
    hash: str
    time: int


_DECODER = msgspec.json.Decoder(_Mark)
_ENCODER = msgspec.json.Encoder()


def encode(mark: TimedBlock) -> bytes:
    """The line, without its end."""
    return _ENCODER.encode(_Mark(mark.ref.number, mark.ref.hash, mark.time_s))


def decode(line: bytes) -> TimedBlock:
    """The line's block. Raises ValueError with the reason."""
    try:
        mark = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return TimedBlock(BlockRef(mark.block, mark.hash), mark.time)
