"""Colour, only on a terminal, and not if NO_COLOR is set (no-color.org)."""

from __future__ import annotations

import os
from typing import Literal, TextIO

import click

Colour = Literal["", "red", "yellow", "green", "blue", "bright_black"]
"""Of click's; empty: the terminal's own."""


class Paint:
    """For what is printed on ``out``: ``paint(text, "red")``."""

    def __init__(self, out: TextIO) -> None:
        self._colours = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def __call__(self, text: str, colour: Colour) -> str:
        return click.style(text, fg=colour) if colour and self._colours else text
