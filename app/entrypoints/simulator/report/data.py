"""What the page of a report shows, as compact JSON: figures ready to be read, curves ready to be drawn.

Numbers that people read are made into words here, in one place; the page's scripts only lay out and draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from app.domain.minting.month import Loss
from app.entrypoints.simulator.plan.plan import FarmPlan, NodePlan
from app.entrypoints.simulator.report.figures import (
    Distribution,
    EnergyBar,
    Row,
    credited_bars,
    distributions,
    energy_bars,
    energy_note,
    spreads,
    tiles,
    traffic,
)
from app.entrypoints.simulator.report.summary import figures
from app.entrypoints.simulator.run.outcome import Outcome, Sample
from app.entrypoints.simulator.watching.tally import MARKS

AT_RISK_SHOWN = 200
POINTS_MAX = 2000
"""Of the curves: more than the widest screen has dots."""
FAULTS_MAX = 20_000
POLICIES = {
    "always-on": "no node sleeps (policy always-on)",
    "bot": "the farmer's bot puts idle nodes to sleep (policy bot)",
    "script": "a script sets the targets (policy script)",
}


class ReportData(Struct, kw_only=True):
    """Times are virtual seconds since the start."""

    title: str
    end_s: float
    calm_s: float
    kept: bool
    verdict: str
    about: str
    """The run in one sentence."""
    credited: list[tuple[int, float, str]]
    """Node, credited share of the run, why its month is lost (or nothing); the least credited first."""
    lost: dict[str, str]
    """Marks of lost time in words."""
    at_risk: list[tuple[int, str]]
    """Node, and why it may be lost."""
    tiles: list[Row]
    """What, how much, and a note."""
    left_out: list[str]
    """What there is too much of for a page, in sentences."""
    figures: list[tuple[str, str]]
    """The table of the terminal."""
    nodes: int
    series: list[tuple[int, int, int, int]]
    """Second, nodes running, nodes dark, nodes whose target is Up."""
    seconds_in: dict[str, float]
    distributions: list[Distribution]
    spreads: list[tuple[str, ...]]
    energy: list[EnergyBar]
    energy_note: str
    traffic: list[tuple[str, ...]]
    promises: list[tuple[str, str, int]]
    """Name, text, how often it was broken."""
    violations: list[tuple[int, float, int, str]]
    """Index into ``promises``, second, node (0: none alone), detail."""
    kinds: list[str]
    faults: list[tuple[int, int, int, str, float]]
    """Second, for how many seconds, index into ``kinds``, subject, amount; in the plan's order."""
    farms: list[tuple[int, list[int]]]
    """Id, and the ids of its nodes."""
    marks: tuple[str, ...]
    timelines: list[list[int]]
    """In the order of ``farms`` and their nodes; see `packed`."""


def report_data(outcome: Outcome) -> ReportData:
    plan = outcome.plan
    names = list(outcome.promises)
    kinds = sorted({fault.kind for fault in plan.faults})
    number = {kind: index for index, kind in enumerate(kinds)}
    shown = _shown(outcome)
    return ReportData(
        title=f"powerd simulate: {plan.nodes:,} nodes, {plan.hours:g} h, seed {plan.seed}",
        end_s=plan.end_s,
        calm_s=plan.calm_s,
        kept=outcome.kept,
        verdict=_verdict(outcome),
        about=_about(outcome),
        credited=credited_bars(outcome),
        lost={f"lost: {loss.name}": f"not credited: {loss.value}" for loss in Loss},
        at_risk=[(each.node, str(each).partition(": ")[2]) for each in outcome.at_risk[:AT_RISK_SHOWN]],
        tiles=list(tiles(outcome)),
        left_out=list(_left_out(outcome)),
        figures=list(figures(outcome)),
        nodes=plan.nodes,
        series=[(round(at_s), running, dark, wanted) for at_s, running, dark, wanted in thinned(outcome.series)],
        seconds_in=outcome.seconds_in,
        distributions=list(distributions(outcome)),
        spreads=list(spreads(outcome)),
        energy=list(energy_bars(outcome)),
        energy_note=energy_note(outcome),
        traffic=list(traffic(outcome)),
        promises=[(name, text, outcome.broken.get(name, 0)) for name, text in outcome.promises.items()],
        violations=[
            (names.index(case.promise), round(case.at_s, 1), case.node, printable(case.detail))
            for case in outcome.violations
        ],
        kinds=kinds,
        faults=[
            (round(fault.at_s), round(fault.for_s), number[fault.kind], fault.subject, fault.amount)
            for fault in plan.faults[:FAULTS_MAX]
        ],
        farms=[(farm.id, [node.id for node in nodes]) for farm, nodes in shown],
        marks=MARKS,
        timelines=[
            packed([*_beginning(node), *outcome.timelines.get(node.id, ())]) for _, nodes in shown for node in nodes
        ],
    )


def thinned(series: Sequence[Sample]) -> Sequence[Sample]:
    """Points at equal steps, and the last one."""
    every = -(-len(series) // POINTS_MAX)
    return [point for number, point in enumerate(series) if number % every == 0 or number == len(series) - 1]


def _shown(outcome: Outcome) -> list[tuple[FarmPlan, list[NodePlan]]]:
    """Nodes that have a timeline on the page, farm by farm; where none was left out, a node without marks has too."""
    whole = not outcome.timelines_left_out
    farms = (
        (farm, [node for node in farm.nodes if whole or node.id in outcome.timelines]) for farm in outcome.plan.farms
    )
    return [(farm, nodes) for farm, nodes in farms if nodes]


def _left_out(outcome: Outcome) -> Iterator[str]:
    plan = outcome.plan
    if outcome.timelines_left_out:
        yield (
            f"It has the timelines of {len(outcome.timelines):,} of {plan.nodes:,} nodes: those with broken promises, "
            "lost time or risks first, and then those with the smallest ids (--json has all)."
        )
    if len(outcome.series) > POINTS_MAX:
        yield f"The curves over time show one of {-(-len(outcome.series) // POINTS_MAX)} points."
    if len(plan.faults) > FAULTS_MAX:
        yield f"It lists the first {FAULTS_MAX:,} of {len(plan.faults):,} faults."


def packed(timeline: Sequence[int]) -> list[int]:
    """One number a mark: seconds since the mark before × number of marks + mark; half the length of two numbers."""
    packs, before_s = [], 0
    for at_s, mark in zip(timeline[::2], timeline[1::2], strict=True):
        packs.append((at_s - before_s) * len(MARKS) + mark)
        before_s = at_s
    return packs


def printable(text: str) -> str:
    """Lone surrogates, as in a broken file name, made visible: they can't be written."""
    return text.encode("utf-8", "backslashreplace").decode()


def _beginning(node: NodePlan) -> Iterator[int]:
    """What the chain says before the first block, where it is not Up; and a machine that begins dark."""
    if node.asleep:
        yield from (0, MARKS.index("off"), 0, MARKS.index("state Down"))
    if node.target == "Down":
        yield from (0, MARKS.index("target Down"))


def _verdict(outcome: Outcome) -> str:
    promises = len(outcome.promises)
    if outcome.kept:
        return f"All {promises} promises were kept" if promises else "Nothing was watched: this run had no promises"
    broken, times = len(outcome.broken), sum(outcome.broken.values())
    return f"{broken} of {promises} promises broken, {times:,} {'time' if times == 1 else 'times'}"


def _about(outcome: Outcome) -> str:
    plan = outcome.plan
    farms = "one farm" if len(plan.farms) == 1 else f"{len(plan.farms):,} farms"
    nodes = "one node" if plan.nodes == 1 else f"{plan.nodes:,} nodes"
    faults = (
        "no faults" if not plan.faults else "one fault" if len(plan.faults) == 1 else f"{len(plan.faults):,} faults"
    )
    days = plan.hours / 24
    length = f"{days:g} days" if days >= 2 and days.is_integer() else f"{plan.hours:g} hours"
    return f"{nodes} in {farms}, {length}, {faults}; {POLICIES[plan.policy.kind]}; seed {plan.seed}"
