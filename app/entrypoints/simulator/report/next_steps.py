"""What the reader of a run's outcome should do next."""

from __future__ import annotations

from collections.abc import Iterator

from app.entrypoints.simulator.income.lost_to import LostTo
from app.entrypoints.simulator.plan.at_risk import Risk
from app.entrypoints.simulator.plan.plan import EnergyPlan, NodePlan, Plan
from app.entrypoints.simulator.run.outcome import Outcome

MONTH_H = 30 * 24.0

REMEDIES = {
    Risk.UNWAKEABLE: "Repair what the line of the node says (segment, card, MAC), or keep its target Up.",
    Risk.DARK_AND_WANTED: "See in the timeline why the node stayed dark: --report out.html",
    Risk.DARK_TOO_LONG: "Wake each sleeper once a day (bot: daily_wake_up = true): the grid pays for no longer sleep.",
}


def next_steps(outcome: Outcome) -> Iterator[str]:
    """One sentence each, those that cost most first."""
    plan = outcome.plan
    if not outcome.kept:
        yield "A broken promise is a defect of powerd: do not let nodes sleep with these options, and report it."
    for risk, remedy in REMEDIES.items():
        if any(each.risk is risk for each in outcome.at_risk):
            yield remedy
    if outcome.income.lost_s(LostTo.FAULTS):
        yield "See which fault cost which hour: --report out.html"
    if not plan.faults:
        yield "Nothing went wrong in this run. See what power cuts and lost packets cost: --faults moderate"
    if _made_up(plan):
        yield (
            "Machines, watts and price are made up. Write down your own: powerd simulate --example > farm.toml, then "
            "--farm-file farm.toml"
        )
    elif not plan.income.per_node_and_month:
        yield "The net lacks the pay that is lost: set per_node_and_month under [income] in the farm file."
    if plan.hours < MONTH_H:
        yield "See a whole month: --days 30"
    yield "See what missing daily wakes cost (same options): powerd simulate compare bot bot,daily_wake_up=false"
    yield "Then follow docs/farmer.md, which goes on from here to the first sleep."


def _made_up(plan: Plan) -> bool:
    return plan.energy == EnergyPlan() and all(
        node == NodePlan(id=node.id) for farm in plan.farms for node in farm.nodes
    )
