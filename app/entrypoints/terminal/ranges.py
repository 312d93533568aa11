"""Numbers and durations of the command line. Each error says which values are allowed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import click

from app.entrypoints.terminal.durations import WrongTime, duration_s, shown_duration


class WholeRange(click.IntRange):
    """As click's, with errors in plain words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number: int = super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is no whole number{_bounds(self)}", param, ctx)
        return number


class FiniteRange(click.FloatRange):
    """As click's, which takes ``nan`` to be in every range; with errors in plain words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number: float = super().convert(value, param, ctx)
        except click.BadParameter:
            number = math.nan
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number{_bounds(self)}", param, ctx)
        return number


def _bounds(range_: click.IntRange | click.FloatRange) -> str:
    """`` from 1 to 16``, `` of more than 0``; nothing where every number is allowed."""
    least, most = range_.min, range_.max
    if least is None:
        return ""
    if range_.min_open:
        return f" of more than {least:g}" + ("" if most is None else f", and of {most:g} at most")
    return f" of {least} or more" if most is None else f" from {least} to {most}"


def duration(longest_s: int | None = None) -> Callable[[click.Context, click.Parameter, str | None], int | None]:
    """The callback of an option that takes a text like ``1h30m``, and gives its seconds."""

    def seconds(_: click.Context, option: click.Parameter, text: str | None) -> int | None:
        if text is None:
            return None
        try:
            given_s = duration_s(text)
        except WrongTime as error:
            raise click.BadParameter(str(error), param=option) from None
        if longest_s is not None and given_s > longest_s:
            raise click.BadParameter(f"{text} is more than {shown_duration(longest_s)}", param=option)
        return given_s

    return seconds
