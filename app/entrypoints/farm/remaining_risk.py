"""Checks the farms after targets were set: whether each node can still be woken."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.domain.model import FarmId, NodeId, Power
from app.domain.rules.farm_risk import Member, is_awake, is_silent, is_surely_awake, no_waker, state_of, unwakeable
from app.entrypoints.farm.checks import Checked
from app.entrypoints.farm.looking import look
from app.entrypoints.wiring.container import Container


class RemainingRisk:
    """The farms of ``checked``; ``print_problem`` prints their problems."""

    def __init__(self, container: Container, checked: Checked, print_problem: Callable[[str], None]) -> None:
        self._container = container
        self._checked = checked
        self._print_problem = print_problem
        self._fresh_s = container.settings().power_management.sign_of_life_s

    async def unreachable(self, nodes: Sequence[NodeId]) -> list[NodeId]:
        """The nodes of these that now have target Up, are dark, and that no node can wake."""
        if not nodes:
            return []
        farms: dict[FarmId, dict[NodeId, Member]] = {}
        for farm in sorted({self._checked.farm[node] for node in nodes}):
            view, _ = await look(self._container, farm)
            farms[farm] = {member.id: member for member in view.members}
        unreachable = []
        for node in nodes:
            members = farms[self._checked.farm[node]]
            if node in members and (problem := self._out_of_reach(members[node], list(members.values()))):
                self._print_problem(f"{problem}: press its power button")
                unreachable.append(node)
        return unreachable

    async def without_waker(self, nodes: Sequence[NodeId]) -> list[FarmId]:
        """Farms in which no node is left to wake the others, though there was one when it was checked.

        Another command came at the same time, or the endpoint that was asked before was behind the chain.
        """
        if not nodes:
            return []
        without_waker = []
        for farm in sorted({self._checked.farm[node] for node in nodes}):
            view, _ = await look(self._container, farm)
            if not any(is_surely_awake(member, self._fresh_s) for member in view.members):
                awake = next((member.id for member in view.members if state_of(member) is Power.UP), nodes[0])
                self._print_problem(
                    f"farm {farm}: no node with target Up is left that could wake the others; set one up again before "
                    f"they sleep: powerd farm up {awake}"
                )
                without_waker.append(farm)
        return without_waker

    def _out_of_reach(self, member: Member, farm: Sequence[Member]) -> str:
        if state_of(member) is Power.UP and not is_silent(member, self._fresh_s):
            return ""
        if problem := unwakeable(member):
            return f"node {member.id}: {problem}"
        others = [other for other in farm if other.id != member.id]
        if not any(is_awake(other, self._fresh_s) for other in others):
            return f"no node is awake that can wake node {member.id}"
        if problem := no_waker(others, self._fresh_s):
            self._print_problem(f"node {member.id}: {problem}")
        return ""
