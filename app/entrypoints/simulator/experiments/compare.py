"""Two policies side by side: the same farms, workload, faults and seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import msgspec

from app.domain.errors import PermanentError
from app.entrypoints.simulator.experiments.replay import replay_line
from app.entrypoints.simulator.experiments.result import Figures, Result, Spread
from app.entrypoints.simulator.input.planning import WorldRequest, plan_of, settings_of
from app.entrypoints.simulator.report.summary import seconds, verdict
from app.entrypoints.simulator.workers.work import Failed, Task, Workers
from app.entrypoints.simulator.world.world import daemon_settings
from app.entrypoints.terminal.tables import aligned

Show = Callable[[float], str]
Row = tuple[str, Callable[[Figures], float | None], Show]

SETTING = "set:"


class CompareFailed(PermanentError):
    """One of the two runs did not finish. The program ends with 2, since 1 means that a promise was broken."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two policies, and its outcome."""

    name: str
    request: WorldRequest
    result: Result


def side_request(text: str, request: WorldRequest) -> WorldRequest:
    """``bot,awake_min=2,set:wake.first_wakers=3``: a policy with parameters, and settings of every daemon."""
    words = text.split(",")
    policy = ",".join(word for word in words if not word.startswith(SETTING))
    settings = settings_of([word.removeprefix(SETTING) for word in words if word.startswith(SETTING)])
    return replace(request, policy=policy, settings={**request.settings, **settings})


def compare(names: tuple[str, str], request: WorldRequest, workers: Workers) -> tuple[Side, Side]:
    """Both runs at once; `CompareFailed` says which one did not finish, and why."""
    wishes = [side_request(name, request) for name in names]
    plans = [plan_of(side) for side in wishes]
    for plan in plans:
        daemon_settings(plan)
    tasks = [Task(number, name, msgspec.json.encode(plans[number])) for number, name in enumerate(names)]
    results: dict[int, Result] = {}
    for ended in workers.each(iter(tasks)):
        if isinstance(ended, Failed):
            raise CompareFailed(f"the run of {ended.task.name} did not finish: {ended.reason}")
        results[ended.task.key] = msgspec.json.decode(ended.answer, type=Result)
    a, b = (Side(names[number], wishes[number], results[number]) for number in (0, 1))
    return a, b


def _seconds(pick: Callable[[Figures], Spread], what: str) -> Iterator[Row]:
    yield f"{what}, half within", lambda figures: pick(figures).p50, seconds
    yield "  99 % within", lambda figures: pick(figures).p99, seconds
    yield "  longest", lambda figures: pick(figures).max, seconds


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _share(value: float) -> str:
    return f"{value:.1%}"


def _fine_share(value: float) -> str:
    return f"{value:.2%}"


def _amount(value: float) -> str:
    return f"{value:,.2f}".replace("-", "−")


def _rows(currency: str, *, income: bool) -> Iterator[Row]:
    yield "running", lambda figures: figures.running_share, _share
    yield "dark", lambda figures: figures.dark_share, _share
    yield "nodes at risk", lambda figures: figures.nodes_at_risk, _count
    yield "credited", lambda figures: figures.credited_share, _fine_share
    yield "  lost to powerd, h", lambda figures: figures.lost_to_powerd_h, _amount
    yield "  lost to faults, h", lambda figures: figures.lost_to_faults_h, _amount
    yield "slow boots", lambda figures: figures.slow_boots, _count
    yield "months lost", lambda figures: figures.months_lost, _count
    yield "sleeps", lambda figures: figures.sleeps, _count
    yield "wakes", lambda figures: figures.wakes, _count
    yield from _seconds(lambda figures: figures.packet_s, "target Up → magic packet")
    yield from _seconds(lambda figures: figures.wake_s, "target Up → state Up")
    yield from _seconds(lambda figures: figures.wait_s, "deployments waited")
    yield "deployments still waiting", lambda figures: figures.still_waiting, _count
    yield "magic packets", lambda figures: figures.packets, _count
    yield "  per wake", lambda figures: figures.packets / figures.wakes if figures.wakes else None, _count
    yield "reads of the chain", lambda figures: figures.chain_reads, _count
    yield "uptime reports", lambda figures: figures.uptime_reports, _count
    yield "energy, kWh", lambda figures: figures.used_kwh, _amount
    yield "saved against always on, kWh", lambda figures: figures.saved_kwh, _amount
    yield f"  {currency}", lambda figures: figures.saved_money, _amount
    if income:
        yield f"income lost, {currency}", lambda figures: figures.income_lost, _amount
        yield f"saved − lost, {currency}", _balance, _amount


def _balance(figures: Figures) -> float | None:
    """The farmer's gain: electricity saved minus income lost."""
    return None if figures.income_lost is None else figures.saved_money - figures.income_lost


def table(a: Side, b: Side) -> Iterator[str]:
    """Both columns, and how much more (or less) B has."""
    figures = a.result.figures
    lines = [("", "A", "B", "B − A")]
    for what, pick, show in _rows(figures.currency, income=figures.income_lost is not None):
        first, second = pick(figures), pick(b.result.figures)
        lines.append((what, _shown(first, show), _shown(second, show), _signed(_minus(second, first), show)))
    yield f"  {figures.nodes:,} nodes, {a.request.hours:g} h, {figures.faults:,} faults, seed {a.request.seed}"
    yield f"  A: {a.name}"
    yield f"  B: {b.name}"
    yield from aligned(lines, left=1)
    yield ""
    yield gain(a, b)
    for letter, side in (("A", a), ("B", b)):
        yield from (f"{letter}: {line}" for line in verdict(side.result))
        if not side.result.kept:
            yield f"{letter}: replay: {replay_line(side.request)}"
        if at_risk := side.result.figures.nodes_at_risk:
            yield f"{letter}: NODES AT RISK: {at_risk:,}; this names them: {replay_line(side.request)}"


def difference(a: Side, b: Side) -> Mapping[str, float | None]:
    """B − A, for programs; None where one of them has none."""
    answer: dict[str, float | None] = {}
    one, other = (msgspec.to_builtins(side.result.figures) for side in (a, b))
    for name, value in one.items():
        if isinstance(value, dict):
            answer |= {f"{name}.{part}": _minus(other[name][part], value[part]) for part in value}
        elif not isinstance(value, str):
            answer[name] = _minus(other[name], value)
    return answer


def _minus(second: float | None, first: float | None) -> float | None:
    return None if first is None or second is None else second - first


def gain(a: Side, b: Side) -> str:
    """What B brings the farmer more than A (or less): electricity saved, minus income lost where the plan has it."""
    first, second = a.result.figures, b.result.figures
    kwh, money = second.saved_kwh - first.saved_kwh, second.saved_money - first.saved_money
    saves = f"it saves {abs(kwh):,.2f} kWh ({abs(money):,.2f} {first.currency}) {_more(kwh)}"
    lost = _minus(second.income_lost, first.income_lost)
    hours = f"in {a.request.hours:g} h"
    if lost is None:
        if _same(kwh, money):
            return f"Both save the same {hours}: {_saved(first)}."
        unknown = "" if first.paid_alike(second) else "; the pay that is lost is not in it: give per_node_and_month"
        return f"B {saves.removeprefix('it ')} than A {hours}{unknown}."
    net = money - lost
    if _same(kwh, money, lost):
        return f"Both bring the same {hours}: {_saved(first)} saved."
    loses = "" if _same(lost) else f", and loses {abs(lost):,.2f} {first.currency} {_more(lost)} of the income"
    return (
        f"B is {'better' if net >= 0 else 'worse'} than A by {abs(net):,.2f} {first.currency} {hours}: {saves}{loses}."
    )


def _same(*differences: float) -> bool:
    return all(abs(each) < 0.005 for each in differences)


def _more(difference: float) -> str:
    return "more" if difference >= 0 else "less"


def _saved(figures: Figures) -> str:
    return f"{figures.saved_kwh:,.2f} kWh, {figures.saved_money:,.2f} {figures.currency}"


def _shown(value: float | None, show: Show) -> str:
    return "–" if value is None else show(value)


def _signed(value: float | None, show: Show) -> str:
    if value is None:
        return "–"
    return f"{'−' if value < 0 else '+'}{show(abs(value))}" if value else "0"
