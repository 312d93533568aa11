"""``powerd decode -``: one payload a line in, one JSON object a line out."""

from __future__ import annotations

import io

import pytest

from app.adapters.codecs.power_target import TargetChange, encode
from app.entrypoints.powerd.decode import NothingToDecode, decode_lines
from tests.rigs.gob_vectors import REFERENCE

GOOD = '{"FarmID":1,"NodeID":7,"Target":{"IsUp":false,"IsDown":true}}\n'


def run(*lines: str) -> tuple[bool, str]:
    out = io.StringIO()
    return decode_lines(lines, out), out.getvalue()


@pytest.mark.parametrize("line", [REFERENCE.hex(), REFERENCE.hex().upper() + "\n", f"\t {REFERENCE.hex()} \r\n"])
def test_a_payload_becomes_one_line_of_json(line: str) -> None:
    assert run(line) == (True, GOOD)


def test_a_target_that_is_neither_or_both_is_shown_as_it_is() -> None:
    both = encode(TargetChange(1, 7, is_up=True, is_down=True)).hex()
    assert run(both) == (True, '{"FarmID":1,"NodeID":7,"Target":{"IsUp":true,"IsDown":true}}\n')


def test_one_line_in_is_one_line_out_and_an_empty_one_is_the_empty_payload() -> None:
    empty = '{"error":"EOF: the payload is empty"}\n'
    assert run("\n", REFERENCE.hex(), "  \n") == (False, empty + GOOD + empty)


def test_an_input_without_any_line_is_an_error() -> None:
    with pytest.raises(NothingToDecode, match="the input is empty; give payloads in hex digits"):
        run()


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("00", "the message ends where a number should be (at offset 1)"),
        (REFERENCE[:-1].hex(), "a message of 11 bytes is announced, 10 are there (at offset 110)"),
        ("  4g7f", "'g' is no hex digit (at column 4)"),
        ("0x45", "'x' is no hex digit (at column 2)"),
        ("45 7f", "' ' is no hex digit (at column 3)"),
        ("457\n", "the last byte has one hex digit only (at column 3)"),
    ],
)
def test_a_refused_line_says_why_and_where_and_the_others_are_still_read(line: str, error: str) -> None:
    assert run(line, REFERENCE.hex()) == (False, f'{{"error":"{error}"}}\n{GOOD}')


def test_output_is_json_whatever_the_input() -> None:
    assert run('"é\ud800') == (False, """{"error":"'\\"' is no hex digit (at column 1)"}\n""")
    assert run("é") == (False, """{"error":"'\\u00e9' is no hex digit (at column 1)"}\n""")
