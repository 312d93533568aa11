"""``powerd farm list``: one row a node, within 80 columns, and below them what is wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, TextIO

from app.adapters.files.standings import load_standings
from app.adapters.substrate.farm_view import FarmView
from app.adapters.telemetry.log import one_line
from app.domain.errors import UnknownIdentity
from app.domain.minting.standing import Known, Standing
from app.domain.model import Node, NodeId, NodePower, Power
from app.domain.rules.farm_risk import Member, SignAge, risk
from app.entrypoints.farm.looking import look
from app.entrypoints.farm.minting.cache import standings_path
from app.entrypoints.farm.old_head import age_s_of
from app.entrypoints.farm.paid import Standings, pay_table, plain, standings_of
from app.entrypoints.farm.which import which_farm
from app.entrypoints.wiring.container import Container

UNKNOWN = "?"


def list_farm(container: Container, farm: int | None, out: TextIO, *, as_json: bool) -> None:
    """Print it; errors of the chain go to the caller."""
    fresh_s = container.settings().power_management.sign_of_life_s
    view, old, known = asyncio.run(_look(container, farm))
    standings = standings_of(view, known)
    if as_json:
        out.write(json.dumps({**_plain(view, standings, fresh_s), "old": old or None}, indent=2) + "\n")
    else:
        out.writelines(f"{one_line(line)}\n" for line in _table(view, standings, fresh_s))
        if old:
            out.write(f"ALL OF THIS IS OLD: {old}\n")


async def _look(container: Container, given: int | None) -> tuple[FarmView, str, Mapping[NodeId, Known]]:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(container.chain_client().close)
        farm = await which_farm(container, given)
        view, old = await look(container, farm)
        known = load_standings(standings_path(await container.farm_history().chain_id(), farm))
    if not view.members:
        raise UnknownIdentity(f"the chain knows no node of farm {farm}; check the farm id (--farm)")
    return view, old, known


def _risks(view: FarmView, fresh_s: float) -> dict[int, str]:
    risks = {member.id: risk(member, view.members, fresh_s) for member in view.members}
    return {node: reason for node, reason in risks.items() if reason}


def _table(view: FarmView, standings: Standings, fresh_s: float) -> Iterator[str]:
    risks = _risks(view, fresh_s)
    count = f"{len(view.members)} node{'s' if len(view.members) > 1 else ''}"
    yield f"farm {view.farm}: {count}, block {view.head.number}, {_local(view.head.time_s)}"
    yield f"{'NODE':>7}  {'TARGET':<6}  {'STATE':<5}  {'SINCE':<17}  {'SIGN':<6}  MAC"
    for member in view.members:
        target, state = _power(member)
        row = f"{member.id:>7}  {target:<6}  {state:<5}  {_since(view, member):<17}  {_age(member.sign):<6}  "
        yield f"{row}{_mac(member):<17}  {'AT RISK' if member.id in risks else ''}".rstrip()
    yield from pay_table(standings)
    for node, reason in risks.items():
        yield f"node {node}: {reason}"
    yield f"nodes at risk: {len(risks)}"


def _plain(view: FarmView, standings: Standings, fresh_s: float) -> dict[str, Any]:
    risks = _risks(view, fresh_s)
    return {
        "farm": view.farm,
        "block": view.head.number,
        "time_s": view.head.time_s,
        "age_s": round(age_s_of(view.head), 3),
        "nodes": [_node(view, member, standings.get(member.id), risks.get(member.id, "")) for member in view.members],
        "nodes_at_risk": len(risks),
    }


def _node(view: FarmView, member: Member, standing: Standing | None, risk: str) -> dict[str, Any]:
    power = member.power if isinstance(member.power, NodePower) else None
    record = member.record if isinstance(member.record, Node) else None
    problems = [each.reason for each in (member.record, member.power) if not isinstance(each, Node | NodePower)]
    return {
        "node": member.id,
        "target": power and power.target.value,
        "state": power and power.state.power.value,
        "since_block": power and power.state.since_block,
        "since_s": view.since_s.get(member.id),
        "since_is_estimated": member.id in view.estimated,
        "sign_of_life_age_s_min": member.sign.at_least_s,
        "sign_of_life_age_s_max": member.sign.at_most_s,
        "mac": None if record is None or record.mac is None else str(record.mac),
        "active_contracts": member.contracts,
        **plain(standing),
        "unreadable": problems,
        "at_risk": risk or None,
    }


def _power(member: Member) -> tuple[str, str]:
    if not isinstance(member.power, NodePower):
        return UNKNOWN, UNKNOWN
    return member.power.target.value, member.power.state.power.value


def _since(view: FarmView, member: Member) -> str:
    """Of a state Down: of an Up the chain keeps no time."""
    if not isinstance(member.power, NodePower):
        return UNKNOWN
    if member.power.state.power is Power.UP:
        return "-"
    since_s = view.since_s.get(member.id)
    about = "~" if member.id in view.estimated else ""
    return UNKNOWN if since_s is None else about + _local(since_s)


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


def _local(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
