"""Checks that another node can wake this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.domain.model import HeadKind, Node, NodeId
from app.domain.rules.farm_risk import Member, is_awake, is_surely_awake, sign_unknown
from app.entrypoints.check.finding import Finding, failed, ok, warning
from app.entrypoints.check.subject import Subject

NAMED_MAX = 4
ASKED_MAX = 3
"""Behind api-gateway each node costs a call."""
WAKE_ANOTHER = "keep another node of the farm up (powerd farm up)"


async def wakers(subject: Subject) -> Sequence[Finding]:
    """A peer has to be awake, with a fresh sign of life, and on this segment."""
    if not subject.uses("chain", "substrate"):
        return await _by_powers(subject)
    own = (await subject.node()).node
    view = await subject.farm()
    others = [member for member in view.members if member.id != own]
    if not others:
        return [_alone(subject)]
    fresh_s = subject.settings.power_management.sign_of_life_s
    awake = [member for member in others if is_surely_awake(member, fresh_s)]
    if awake:
        return [_awake(awake, await _heard_of(subject))]
    if perhaps := [member.id for member in others if is_awake(member, fresh_s)]:
        return [_doubt(sign_unknown(perhaps))]
    return [_none_awake(subject)]


async def _by_powers(subject: Subject) -> Sequence[Finding]:
    own = await subject.node()
    chain = subject.container.chain()
    listed: Sequence[NodeId] = await chain.farm_nodes(own.farm)
    if chain.lacks_power:
        return [ok("no node sleeps here: there is no power management")]
    others = [node for node in listed if node != own.node]
    if not others:
        return [_alone(subject)]
    powers = (await chain.powers(others[:ASKED_MAX], HeadKind.BEST)).powers
    awake = [str(node) for node, power in powers.items() if power.awake]
    if awake:
        return [ok(f"node {', '.join(awake)}: target and state Up (the gateway has no signs of life)")]
    if len(others) > ASKED_MAX:
        return [_doubt(f"of {len(others)} other nodes {ASKED_MAX} were asked for, and none is awake")]
    return [_none_awake(subject)]


def _alone(subject: Subject) -> Finding:
    if subject.settings.power_management.last_waker_guard:
        return warning("this is the farm's only node, and never powers off", "powerd saves nothing in a farm of one")
    return failed("this is the farm's only node: no node can wake it", "power_management.last_waker_guard = true")


def _none_awake(subject: Subject) -> Finding:
    seen = "no other node of the farm is awake (target and state Up, and a fresh sign of life)"
    if subject.settings.power_management.last_waker_guard:
        return warning(f"{seen}: this one stays up", WAKE_ANOTHER)
    return failed(f"{seen}: no node could wake this one", WAKE_ANOTHER)


def _doubt(why: str) -> Finding:
    seen, _, remedy = why.partition("; ")
    return warning(f"it is not certain that another node is awake: {seen}", remedy or WAKE_ANOTHER)


def _awake(awake: Sequence[Member], heard: Mapping[str, str]) -> Finding:
    near = []
    for member in awake:
        mac = member.record.mac if isinstance(member.record, Node) else None
        if mac is not None and (interface := heard.get(mac.text)):
            near.append(f"node {member.id} ({mac} heard on {interface})")
    if near:
        more = f", and {len(near) - NAMED_MAX} more" if len(near) > NAMED_MAX else ""
        return ok(f"{', '.join(near[:NAMED_MAX])}{more}")
    named = ", ".join(str(member.id) for member in awake[:NAMED_MAX])
    return ok(f"awake: node {named}; whether on this segment is not known (the kernel has not heard of them lately)")


async def _heard_of(subject: Subject) -> Mapping[str, str]:
    from app.adapters.linux.neighbour_table import known_macs

    try:
        return await known_macs(subject.answer_s)
    except (OSError, TimeoutError):
        return {}
