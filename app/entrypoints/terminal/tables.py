"""Rows for people: in columns if they fit the terminal, else one block for each row."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from app.entrypoints.terminal.colour import Colour, Paint

USUAL_WIDTH = 80
"""The width if the output is no terminal, and COLUMNS is not set."""
GAP = "  "


@dataclass(frozen=True, slots=True)
class Cell:
    """The text in a cell; ``right``: at the right edge of its column, as figures are."""

    text: str
    colour: Colour = ""
    right: bool = False


Row = Mapping[str, Cell]
"""By heading; the first one names the row."""


def width_of_terminal() -> int:
    return shutil.get_terminal_size((USUAL_WIDTH, 24)).columns


def folds(out: TextIO, width: int) -> bool:
    """Whether long sentences are broken: for a person. A program in a pipe reads one a line."""
    return out.isatty() or width < USUAL_WIDTH


def folded(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=GAP)


def laid_out(rows: Sequence[Row], groups: Sequence[Sequence[str]], width: int, paint: Paint) -> Iterator[str]:
    """All groups of headings in one table where that fits ``width``; else a table a group; else a block a row.

    The first heading of every group is the same: it names the row.
    """
    first = groups[0][0]
    one = [first, *(heading for group in groups for heading in group if heading != first)]
    for tables in ([one], groups):
        drawn = [list(_table(rows, headings, paint)) for headings in tables]
        if all(_width(rows, headings) <= width for headings in tables):
            for number, lines in enumerate(drawn):
                yield from ["", *lines] if number else lines
            return
    yield from _blocks(rows, one, width, paint)


def _widths(rows: Sequence[Row], headings: Sequence[str]) -> list[int]:
    return [max([len(heading), *(len(row[heading].text) for row in rows)]) for heading in headings]


def _width(rows: Sequence[Row], headings: Sequence[str]) -> int:
    return sum(_widths(rows, headings)) + len(GAP) * (len(headings) - 1)


def _table(rows: Sequence[Row], headings: Sequence[str], paint: Paint) -> Iterator[str]:
    widths = _widths(rows, headings)
    rights = [any(row[heading].right for row in rows) for heading in headings]
    for row in [{heading: Cell(heading) for heading in headings}, *rows]:
        cells = [row[heading] for heading in headings]
        last = max((number for number, cell in enumerate(cells) if cell.text), default=0)
        yield GAP.join(
            # The last cell is not padded.
            paint(cell.text.rjust(width) if right else cell.text.ljust(width if number < last else 0), cell.colour)
            for number, (cell, width, right) in enumerate(zip(cells[: last + 1], widths, rights, strict=False))
        )


def _blocks(rows: Sequence[Row], headings: Sequence[str], width: int, paint: Paint) -> Iterator[str]:
    name, *others = headings
    label = max(len(heading) for heading in others) + len(GAP)
    for number, row in enumerate(rows):
        if number:
            yield ""
        yield paint(f"{name.lower()} {row[name].text}", row[name].colour)
        for heading in others:
            cell = row[heading]
            lines = textwrap.wrap(cell.text, max(8, width - label - len(GAP))) if cell.text else []
            for place, line in enumerate(lines):
                yield f"{GAP}{'' if place else heading.lower():<{label}}{paint(line, cell.colour)}"


def aligned(rows: Sequence[Sequence[str]], *, left: int) -> Iterator[str]:
    """Columns as wide as their widest cell; the first ``left`` of them begin, the others end together."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if number < left else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield ("  " + "  ".join(cells)).rstrip()
