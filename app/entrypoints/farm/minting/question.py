"""The question that a farmer asks about a period."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.errors import PermanentError
from app.domain.minting.period import Period
from app.domain.model import NodeId
from app.entrypoints.farm.minting.table import moment

CURRENT, PREVIOUS = "current", "previous"


class NotBegun(PermanentError):
    """The period lies in the future."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Question:
    """``when`` is a period, its number, or "current" or "previous" by the chain's own time."""

    when: Period | str | int
    explain: NodeId | None
    as_json: bool

    def period(self, now_s: int) -> Period:
        """`NotBegun` if it lies in the future."""
        if isinstance(self.when, Period):
            period = self.when
        elif isinstance(self.when, int):
            period = Period.at(self.when)
        else:
            period = Period.holding(now_s)
            if self.when == PREVIOUS:
                period = Period.at((period.number or 0) - 1)
        if now_s <= period.start_s:
            raise NotBegun(f"that period begins at {moment(period.start_s)} UTC; the chain is at {moment(now_s)}")
        return period
