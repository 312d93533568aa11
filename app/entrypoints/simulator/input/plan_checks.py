"""Whether a plan makes sense: its numbers are within bounds, and every farm and node that it names exists."""

from __future__ import annotations

import msgspec

from app.entrypoints.simulator.faults.kinds import FAULT_KINDS
from app.entrypoints.simulator.input.problems import problem_of
from app.entrypoints.simulator.plan.bad_input import BadInput
from app.entrypoints.simulator.plan.plan import FaultPlan, Plan


def checked(plan: Plan, *, trace: str, script: str) -> Plan:
    """The plan, if it can be run; ``trace`` and ``script`` are the names of the files that parts of it came from."""
    plan = _sound(plan)
    _check_subjects(plan, trace, script)
    _check_room(plan, trace)
    for fault in plan.faults:
        _check_amount(fault)
    return plan


def _check_subjects(plan: Plan, trace: str, script: str) -> None:
    nodes = {node.id for farm in plan.farms for node in farm.nodes}
    farms = {farm.id for farm in plan.farms}
    if unknown_ids := [line.node for line in plan.policy.script if line.node not in nodes]:
        raise BadInput(f"{script}: there is no node {unknown_ids[0]} in these farms")
    if unknown_ids := [deployment.farm for deployment in plan.workload.trace or () if deployment.farm not in farms]:
        raise BadInput(f"{trace}: there is no farm {unknown_ids[0]}")
    known = {"all": {""}, "farm": {str(farm) for farm in farms}, "node": {str(node) for node in nodes}}
    for fault in plan.faults:
        what, _, number = fault.subject.partition(" ")
        if number not in known.get(what, set()):
            raise BadInput(
                f"the fault {fault.kind} at {fault.at_s:g} s is about {fault.subject!r}, which these farms do not have"
            )


def _check_room(plan: Plan, trace: str) -> None:
    room = {farm.id: max(node.slots for node in farm.nodes) for farm in plan.farms}
    for place, deployment in enumerate(plan.workload.trace or (), 1):
        if deployment.slots > room[deployment.farm]:
            raise BadInput(
                f"{trace}: deployment {place} (in order of time) takes {deployment.slots} slots, and no node of "
                f"farm {deployment.farm} has more than {room[deployment.farm]}: it would wait for ever"
            )


def _check_amount(fault: FaultPlan) -> None:
    least, most = FAULT_KINDS[fault.kind].amount
    beyond = not min(least, 0.0) <= fault.amount <= (1.0 if most == 1.0 else 10 * most)
    idle = least > 0 and not fault.amount
    if most and (beyond or idle):
        has = "does nothing without an amount" if idle else f"has the amount {fault.amount:g}"
        raise BadInput(
            f"the fault {fault.kind} at {fault.at_s:g} s {has}; "
            f"made-up ones have {least:g} … {most:g} (powerd simulate --list-faults)"
        )


def _sound(plan: Plan) -> Plan:
    """Check that every number is within its bounds: a plan that was made in Python was not checked yet."""
    try:
        return msgspec.convert(msgspec.to_builtins(plan), Plan)
    except msgspec.ValidationError as error:
        raise BadInput(f"this can't be simulated: {problem_of(error, Plan.__struct_fields__)}") from error
