"""What the farmer gains in a month by what a run shows: electricity saved, income lost, and the net."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.minting.period import LENGTH_S
from app.entrypoints.simulator.run.outcome import Outcome


@dataclass(frozen=True, slots=True)
class MonthOfThis:
    """A month is a period of the grid's minting, some 30 days and 11 hours; money is in the plan's currency."""

    saved_kwh: float
    saved_share: float
    """Of what the same nodes draw that never sleep."""
    saved_money: float
    lost_money: float | None
    """None where the plan does not say what a month earns."""

    @property
    def net_money(self) -> float:
        return self.saved_money - (self.lost_money or 0.0)


def month_of(outcome: Outcome) -> MonthOfThis:
    energy, plan = outcome.energy, outcome.plan
    months = plan.end_s / LENGTH_S
    earned = plan.income.per_node_and_month
    return MonthOfThis(
        saved_kwh=energy.saved_kwh / months,
        saved_share=energy.saved_kwh / energy.always_on_kwh if energy.always_on_kwh else 0.0,
        saved_money=energy.saved_money / months,
        # The minting credits some seconds more than have passed, which is no income.
        lost_money=max(0.0, outcome.income.lost_money(earned)) / months if earned else None,
    )
