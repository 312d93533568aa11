"""What ``powerd farm list`` shows of each node's pay: what is left of the deadlines, and who earns nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from app.adapters.substrate.farm_view import FarmView
from app.domain.minting.standing import Known, Seen, Standing, Told, Untold, standing
from app.domain.model import NodeId, NodePower
from app.domain.rules.farm_risk import Member

Standings = Mapping[NodeId, Standing]


def standings_of(view: FarmView, known: Mapping[NodeId, Known]) -> Standings:
    """Of all nodes whose power can be read."""
    return {
        member.id: standing(_seen(view, member, member.power), view.head.time_s, known.get(member.id))
        for member in view.members
        if isinstance(member.power, NodePower)
    }


def pay_table(standings: Standings) -> Iterator[str]:
    """A row a node."""
    yield f"{'NODE':>7}  {'24 H LEFT':<9}  {'30 MIN LEFT':<11}  EARNS NOTHING SINCE"
    for node, each in standings.items():
        yield f"{node:>7}  {_left(each.sleep_left_s):<9}  {_left(each.boot_left_s):<11}  {_since(each)}"
    if any(isinstance(each.uncredited_since_s, Untold) for each in standings.values()):
        yield "?: `powerd farm minting` finds out, and here it is shown for 41 minutes"


def plain(each: Standing | None) -> dict[str, Any]:
    """For programs: null where there is nothing to tell, "?" where it is not known."""
    names = ("sleep_left_s", "boot_left_s", "uncredited_since_s")
    told: list[Told] = [Untold.UNTOLD if each is None else getattr(each, name) for name in names]
    return {name: value.value if isinstance(value, Untold) else value for name, value in zip(names, told, strict=True)}


def _seen(view: FarmView, member: Member, power: NodePower) -> Seen:
    now_s, sign = view.head.time_s, member.sign
    after_s = None if sign.at_most_s is None else now_s - sign.at_most_s
    return Seen(power, view.since_s.get(member.id), after_s, now_s - sign.at_least_s)


def _left(told: Told) -> str:
    if told is None:
        return "-"
    if isinstance(told, Untold):
        return str(told.value)
    if told < 0:
        return "over"
    return f"{told / 3600:.1f} h" if told >= 5400 else f"{told / 60:.0f} min"


def _since(each: Standing) -> str:
    told = each.uncredited_since_s
    if told is None:
        return "-"
    if isinstance(told, Untold):
        return str(told.value)
    return datetime.fromtimestamp(told, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
