"""``powerd decode -``: payloads of the event stream, or frames of zbus, from hex to JSON.

One payload a line in, one JSON object a line out, so that both ends can be piped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import TextIO

from app.adapters.codecs.power_target import GobError, decode
from app.adapters.codecs.zbus_frames import ZbusError
from app.domain.errors import PermanentError

EMPTY = "EOF: the payload is empty"
"""Go's gob and msgpack decoders call it io.EOF."""

_NO_HEX_DIGIT = re.compile("[^0-9a-fA-F]")


class NothingToDecode(PermanentError):
    """The input has no line at all: often the command before it in a pipe failed."""

    exit_code = 2


class NotHex(ValueError):
    """A line that is not pairs of hex digits; ``column`` counts from 1."""

    def __init__(self, reason: str, column: int) -> None:
        super().__init__(f"{reason} (at column {column})")
        self.column = column


def event(payload: bytes) -> dict[str, object]:
    """An event as the Go programs name its fields; `GobError` if it is none."""
    change = decode(payload)
    return {
        "FarmID": change.farm_id,
        "NodeID": change.node_id,
        "Target": {"IsUp": change.is_up, "IsDown": change.is_down},
    }


def decode_lines(lines: Iterable[str], out: TextIO, read: Callable[[bytes], dict[str, object]] = event) -> bool:
    """Write each line's payload, or why it can't be decoded; returns False if any could not.

    A line without digits is the empty payload: an error, as it is for Go's decoders.
    Raises `NothingToDecode` without any line.
    """
    all_good, line = True, None
    for line in lines:
        try:
            payload = _payload(line)
            answer = read(payload) if payload else {"error": EMPTY}
            all_good = all_good and bool(payload)
        except (GobError, ZbusError, NotHex) as error:
            all_good = False
            answer = {"error": str(error)}
        out.write(json.dumps(answer, separators=(",", ":")) + "\n")
        out.flush()  # the program that writes the lines may wait for each answer
    if line is None:
        raise NothingToDecode("the input is empty; give payloads in hex digits, one a line")
    return all_good


def _payload(line: str) -> bytes:
    text = line.rstrip()
    digits = text.lstrip()
    indent = len(text) - len(digits)
    wrong = _NO_HEX_DIGIT.search(digits)
    if wrong:
        raise NotHex(f"{wrong.group()!r} is no hex digit", indent + wrong.start() + 1)
    if len(digits) % 2:
        raise NotHex("the last byte has one hex digit only", indent + len(digits))
    return bytes.fromhex(digits)
