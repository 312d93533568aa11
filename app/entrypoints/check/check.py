"""One row of the table of checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from app.entrypoints.check.finding import Finding
from app.entrypoints.check.subject import Subject

Look = Callable[[Subject], Awaitable[Sequence[Finding]]]


@dataclass(frozen=True, slots=True)
class Check:
    """``asks`` says what the check looks at; ``remedy`` is shown when a finding has no remedy of its own.

    ``needs`` names checks: where one of them failed, this one is skipped. ``not_here`` says why it is of no use with
    these settings, or nothing.
    """

    name: str
    asks: str
    remedy: str
    look: Look
    needs: tuple[str, ...] = ()
    not_here: Callable[[Subject], str] = lambda _: ""
