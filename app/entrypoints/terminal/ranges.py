"""Numbers and durations of the command line."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import click

from app.entrypoints.terminal.durations import WrongTime, duration_s, shown_duration


class FiniteRange(click.FloatRange):
    """As click's, which takes ``nan`` to be in every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


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
