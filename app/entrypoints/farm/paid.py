"""Each node's standing in the grid's minting, from the chain's state and the events that were read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.adapters.substrate.farm_view import FarmView
from app.domain.minting.standing import Known, Seconds, Seen, Standing, Unknown, standing
from app.domain.model import NodeId, NodePower
from app.domain.rules.farm_risk import Member


def seen_of(view: FarmView) -> Mapping[NodeId, Seen]:
    """What the chain shows of each node whose power can be decoded."""
    return {each.id: _seen(view, each, each.power) for each in view.members if isinstance(each.power, NodePower)}


def standings_of(view: FarmView, known: Mapping[NodeId, Known]) -> Mapping[NodeId, Standing]:
    return {node: standing(seen, view.head.time_s, known.get(node)) for node, seen in seen_of(view).items()}


def plain(each: Standing | None) -> dict[str, Any]:
    """For JSON: a number or null; ``not_known`` names those of which it is not known whether they have a value."""
    names = ("sleep_left_s", "boot_left_s", "uncredited_since_s")
    values: list[Seconds] = [Unknown.UNKNOWN if each is None else getattr(each, name) for name in names]
    pairs = list(zip(names, values, strict=True))
    known = {name: None if isinstance(value, Unknown) else value for name, value in pairs}
    return {**known, "not_known": [name for name, value in pairs if isinstance(value, Unknown)]}


def _seen(view: FarmView, member: Member, power: NodePower) -> Seen:
    now_s, sign = view.head.time_s, member.sign
    after_s = None if sign.at_most_s is None else now_s - sign.at_most_s
    return Seen(power, view.since_s.get(member.id), after_s, now_s - sign.at_least_s)
