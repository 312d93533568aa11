"""Rows fit the terminal: one table, several, or a block a row; colour is for terminals that want it."""

from __future__ import annotations

import io
from typing import TextIO

import pytest

from app.entrypoints.terminal.colour import Paint
from app.entrypoints.terminal.tables import Cell, laid_out

GROUPS = (("NODE", "TARGET", "REASON"), ("NODE", "WOKEN BY"))
ROWS = [
    {"NODE": Cell("7", right=True), "TARGET": Cell("Up"), "REASON": Cell(""), "WOKEN BY": Cell("none", "red")},
    {
        "NODE": Cell("12345", right=True),
        "TARGET": Cell("Down"),
        "REASON": Cell("it is dark and cold"),
        "WOKEN BY": Cell("7"),
    },
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(width: int, out: TextIO | None = None) -> list[str]:
    return list(laid_out(ROWS, GROUPS, width, Paint(out or io.StringIO())))


def test_all_of_it_in_one_table_where_there_is_room() -> None:
    assert drawn(80) == [
        " NODE  TARGET  REASON               WOKEN BY",
        "    7  Up                           none",
        "12345  Down    it is dark and cold  7",
    ]


def test_a_table_a_group_where_that_fits() -> None:
    assert drawn(40) == [
        " NODE  TARGET  REASON",
        "    7  Up",
        "12345  Down    it is dark and cold",
        "",
        " NODE  WOKEN BY",
        "    7  none",
        "12345  7",
    ]


def test_a_block_a_row_where_nothing_else_fits() -> None:
    assert drawn(26) == [
        "node 7",
        "  target    Up",
        "  woken by  none",
        "",
        "node 12345",
        "  target    Down",
        "  reason    it is dark and",
        "            cold",
        "  woken by  7",
    ]


@pytest.mark.parametrize("width", range(20, 100))
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, drawn(width))) <= width


@pytest.mark.parametrize(
    ("variables", "out", "coloured"),
    [
        ({"TERM": "xterm"}, Terminal(), True),
        ({"TERM": "xterm", "NO_COLOR": ""}, Terminal(), True),  # no-color.org: it counts when it is not empty
        ({"TERM": "xterm", "NO_COLOR": "1"}, Terminal(), False),
        ({"TERM": "dumb"}, Terminal(), False),
        ({"TERM": "xterm"}, io.StringIO(), False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], out: TextIO, coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    lines = drawn(40, out)
    assert any("\x1b[31mnone\x1b[0m" in line for line in lines) is coloured
    assert coloured or not any("\x1b" in line for line in lines)


def test_of_no_rows_the_headings_are_left() -> None:
    assert list(laid_out([], GROUPS, 80, Paint(io.StringIO()))) == ["NODE  TARGET  REASON  WOKEN BY"]
