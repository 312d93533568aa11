"""A node of the farm as `powerd farm list` and `watch` show it: for people, and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from app.domain.minting.standing import Deadline, DeadlineKind, Standing, Unknown
from app.domain.model import Node, NodePower, Power
from app.domain.rules.farm_risk import Member, SignAge, Wakers
from app.entrypoints.farm.overview import Overview
from app.entrypoints.farm.paid import plain
from app.entrypoints.terminal.local_time import local
from app.entrypoints.terminal.tables import Cell, Row

UNKNOWN = "?"
NONE = "-"
GROUPS = (
    ("NODE", "TARGET", "STATE", "SINCE", "LAST SIGN", "MAC", "RISK"),
    ("NODE", "LEFT", "UNPAID SINCE", "CONTRACTS", "WOKEN BY"),
)
WAKERS_SHOWN = 3
LEFT = {DeadlineKind.REPORT: "to report", DeadlineKind.BOOT: "to boot", DeadlineKind.SLEEP: "of sleep"}
MISSED = {DeadlineKind.REPORT: "report late", DeadlineKind.BOOT: "boot late", DeadlineKind.SLEEP: "overslept"}


def rows(overview: Overview) -> Sequence[Row]:
    return [_row(overview, member) for member in overview.view.members]


def legend(overview: Overview) -> Iterator[str]:
    """The meaning of the marks that the rows contain."""
    if any(isinstance(each.uncredited_since_s, Unknown) for each in overview.standings.values()):
        yield (
            "UNPAID SINCE ?: not known; `powerd farm minting` finds it out, and the answer holds until the node's next "
            "change of state, for 41 minutes at most"
        )


def as_plain(overview: Overview, member: Member) -> dict[str, Any]:
    """Of one node; null where there is no value, and where it is not known, which ``not_known`` says."""
    power = member.power if isinstance(member.power, NodePower) else None
    record = member.record if isinstance(member.record, Node) else None
    problems = [each.reason for each in (member.record, member.power) if not isinstance(each, Node | NodePower)]
    deadline, wakers = overview.deadlines.get(member.id), overview.wakers[member.id]
    return {
        "node": member.id,
        "target": power and power.target.value,
        "state": power and power.state.power.value,
        "since_block": power and power.state.since_block,
        "since_s": overview.view.since_s.get(member.id),
        "since_is_estimated": member.id in overview.view.estimated,
        "sign_of_life_age_s_min": member.sign.at_least_s,
        "sign_of_life_age_s_max": member.sign.at_most_s,
        "mac": None if record is None or record.mac is None else str(record.mac),
        "active_contracts": member.contracts,
        **plain(overview.standings.get(member.id)),
        "next_deadline": None if deadline is None else {"kind": deadline.kind.value, "left_s": deadline.left_s},
        "wakers": list(wakers.sure),
        "wakers_perhaps": list(wakers.perhaps),
        "unreadable": problems,
        "at_risk": overview.risks.get(member.id),
    }


def _row(overview: Overview, member: Member) -> Row:
    target, state = _power(member)
    at_risk = member.id in overview.risks
    standing = overview.standings.get(member.id)
    return {
        "NODE": Cell(str(member.id), "red" if at_risk else "", right=True),
        "TARGET": Cell(target),
        "STATE": Cell(state, "yellow" if state != target else "green" if state == Power.UP.value else "bright_black"),
        "SINCE": Cell(_since(overview, member)),
        "LAST SIGN": Cell(_age(member.sign)),
        "MAC": Cell(_mac(member)),
        "RISK": Cell("AT RISK", "red") if at_risk else Cell(""),
        "LEFT": _left(overview.deadlines.get(member.id), readable=member.id in overview.standings),
        "UNPAID SINCE": _unpaid(standing),
        "CONTRACTS": Cell(UNKNOWN if member.contracts is None else str(member.contracts)),
        "WOKEN BY": _woken_by(overview.wakers[member.id]),
    }


def _power(member: Member) -> tuple[str, str]:
    if not isinstance(member.power, NodePower):
        return UNKNOWN, UNKNOWN
    return member.power.target.value, member.power.state.power.value


def _since(overview: Overview, member: Member) -> str:
    """Since when a state Down lasts; the chain keeps no time for Up."""
    if not isinstance(member.power, NodePower):
        return UNKNOWN
    if member.power.state.power is Power.UP:
        return NONE
    since_s = overview.view.since_s.get(member.id)
    about = "~" if member.id in overview.view.estimated else ""
    return UNKNOWN if since_s is None else about + local(since_s)


def _age(sign: SignAge) -> str:
    """``<5m``: the last one is less than 5 minutes old; ``>4h``: there was none for 4 hours; ``?``: not known."""
    if sign.at_most_s is not None:
        return f"<{_short(sign.at_most_s)}"
    return f">{_short(sign.at_least_s)}" if sign.at_least_s else UNKNOWN


def _short(seconds: float) -> str:
    for length_s, unit in ((86_400, "d"), (5400, "h"), (60, "m")):
        if seconds >= length_s:
            return f"{round(seconds / min(length_s, 3600 if unit == 'h' else length_s))}{unit}"
    return f"{max(1, round(seconds))}s"


def _mac(member: Member) -> str:
    if not isinstance(member.record, Node) or member.record.mac is None:
        return UNKNOWN
    return str(member.record.mac)


def _left(deadline: Deadline | None, *, readable: bool) -> Cell:
    if deadline is None:
        return Cell(NONE if readable else UNKNOWN)
    if deadline.left_s is None:
        return Cell(f"{UNKNOWN} {LEFT[deadline.kind]}")
    if deadline.left_s < 0:
        return Cell(MISSED[deadline.kind], "red")
    minutes = deadline.left_s / 60
    amount = f"{minutes / 60:.1f} h" if minutes >= 90 else f"{minutes:.0f} min"
    return Cell(f"{amount} {LEFT[deadline.kind]}", "yellow" if minutes < 10 else "")


def _unpaid(standing: Standing | None) -> Cell:
    if standing is None or isinstance(standing.uncredited_since_s, Unknown):
        return Cell(UNKNOWN)
    return Cell(NONE) if standing.uncredited_since_s is None else Cell(local(standing.uncredited_since_s), "red")


def _woken_by(wakers: Wakers) -> Cell:
    every = [*map(str, wakers.sure), *(f"{node}{UNKNOWN}" for node in wakers.perhaps)]
    if not every:
        return Cell("none", "red")
    more = f" +{len(every) - WAKERS_SHOWN}" if len(every) > WAKERS_SHOWN else ""
    return Cell(", ".join(every[:WAKERS_SHOWN]) + more)
