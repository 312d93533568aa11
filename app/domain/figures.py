"""Compares texts without their figures: an age, or a block's number, changes at every look."""

from __future__ import annotations

import re

NAMES = r"\bnodes? \d+(?:, \d+)*|(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}"
"""Ids of nodes and addresses of cards are names, and are kept."""

FIGURES = re.compile(rf"({NAMES})|\b0x[0-9a-f]+|[+-]?\d+(?:\.\d+)?", re.IGNORECASE)


def without_figures(text: str) -> str:
    """The text with ``#`` for each figure. It is for comparison only, and never shown."""
    return FIGURES.sub(lambda found: found[1] or "#", text)


def differ(text: str, other: str) -> bool:
    """Whether the texts differ in more than their figures; the same text comes again at most looks."""
    return text != other and without_figures(text) != without_figures(other)
