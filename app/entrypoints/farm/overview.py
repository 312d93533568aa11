"""The farm's current overview: what the chain shows, what was read of its pay, and the conclusions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from app.adapters.files.standings import load_standings
from app.adapters.substrate.farm_view import FarmView
from app.domain.errors import UnknownIdentity
from app.domain.minting.standing import Deadline, Known, Standing, next_deadline
from app.domain.model import FarmId, NodeId
from app.domain.rules.farm_risk import Wakers, risk, wakers
from app.entrypoints.farm.looking import look
from app.entrypoints.farm.minting.cache import standings_path
from app.entrypoints.farm.paid import seen_of, standings_of
from app.entrypoints.wiring.container import Container


@dataclass(frozen=True)
class Overview:
    """``old``: why this may be out of date, or empty. ``fresh_s``: seconds for which a sign of life counts."""

    view: FarmView
    old: str
    known: Mapping[NodeId, Known]
    fresh_s: float

    @cached_property
    def risks(self) -> Mapping[NodeId, str]:
        """Why a node may not be up when it is wanted; of those only."""
        members = self.view.members
        risks = {member.id: risk(member, members, self.fresh_s) for member in members}
        return {node: reason for node, reason in risks.items() if reason}

    @cached_property
    def standings(self) -> Mapping[NodeId, Standing]:
        """Of all nodes whose power can be read."""
        return standings_of(self.view, self.known)

    @cached_property
    def deadlines(self) -> Mapping[NodeId, Deadline | None]:
        """What each of these misses next."""
        seen, now_s = seen_of(self.view), self.view.head.time_s
        return {node: next_deadline(seen[node], stands, now_s) for node, stands in self.standings.items()}

    @cached_property
    def wakers(self) -> Mapping[NodeId, Wakers]:
        members = self.view.members
        return {member.id: wakers(member, members, self.fresh_s) for member in members}


async def overview_of(container: Container, farm: FarmId) -> Overview:
    """`UnknownIdentity` where the farm has no nodes."""
    view, old = await look(container, farm)
    if not view.members:
        raise UnknownIdentity(f"the chain knows no node of farm {farm}; check the farm id (--farm)")
    known = load_standings(standings_path(await container.farm_history().chain_id(), farm))
    return Overview(view, old, known, container.settings().power_management.sign_of_life_s)
