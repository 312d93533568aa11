"""Which nodes of a farm could be lost in their sleep, by what the chain shows of all of them (R14).

Theory of operation. A node sleeps safely while another one of its farm is awake and has its address.
The state alone proves nothing: a crashed node's says Up for ever. So a node counts as awake while its
target and its state are Up and the chain shows a sign of life that is not too old. Where the chain
does not tell of any (an endpoint without an archive knows 25 minutes), it is doubt, and is said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.domain.model import Node, NodeId, NodePower, Power, Unreadable


@dataclass(frozen=True, slots=True)
class SignAge:
    """How long ago a node gave its last sign of life (seconds): between these two, as far as blocks tell.

    ``at_most_s`` is None where none was found in all that could be read, which reaches ``at_least_s`` back;
    ``whole``: that is all there is, since the chain is no older.
    """

    at_least_s: float
    at_most_s: float | None
    whole: bool = False


UNKNOWN = SignAge(0.0, None)


@dataclass(frozen=True, slots=True)
class Member:
    """A node of a farm, as the chain shows it. ``contracts`` is None where the chain does not tell their number."""

    id: NodeId
    record: Node | Unreadable
    power: NodePower | Unreadable
    sign: SignAge = UNKNOWN
    contracts: int | None = 0


def state_of(member: Member) -> Power | None:
    """Its state; None where it can't be read."""
    return member.power.state.power if isinstance(member.power, NodePower) else None


def is_silent(member: Member, fresh_s: float) -> bool:
    """Whether it gave no sign of life for ``fresh_s``, for sure."""
    return member.sign.at_least_s >= fresh_s


def is_awake(member: Member, fresh_s: float) -> bool:
    """Whether it is up, is to stay so, and is not known to be silent: it can wake others.

    Not where its record can't be read: then its signs of life can't be found either.
    """
    power = member.power
    up = isinstance(power, NodePower) and power.target is power.state.power is Power.UP
    return up and isinstance(member.record, Node) and not is_silent(member, fresh_s)


def is_surely_awake(member: Member, fresh_s: float) -> bool:
    """As `is_awake`, and the chain shows its sign of life, or is too young for any to be old."""
    return is_awake(member, fresh_s) and (member.sign.at_most_s is not None or member.sign.whole)


def no_waker(farm: Iterable[Member], fresh_s: float) -> str:
    """Why it is not certain that one of these nodes is awake and can wake others; empty if one is.

    The words follow on "it is asleep, and".
    """
    members = list(farm)
    if any(is_surely_awake(member, fresh_s) for member in members):
        return ""
    perhaps = [member.id for member in members if is_awake(member, fresh_s)]
    if not perhaps:
        return "no node of its farm is awake to wake it"
    return f"it is not certain that a node of its farm is awake to wake it: {untold(perhaps)}"


def untold(nodes: Sequence[NodeId]) -> str:
    """What is not known of nodes that are called Up, and the remedy."""
    more = f" and {len(nodes) - NAMED_MAX} more" if len(nodes) > NAMED_MAX else ""
    named = f"node{'s' if len(nodes) > 1 else ''} {', '.join(map(str, nodes[:NAMED_MAX]))}{more}"
    return (
        f"the chain does not tell when {named} gave the last sign of life; name an endpoint that keeps old blocks "
        "(an archive) in chain.urls"
    )


NAMED_MAX = 8


def unwakeable(member: Member) -> str:
    """Why no other node could wake it, whichever is awake; empty if one could.

    Of a record that can't be read its peers may remember the address: that is doubt, and no more.
    """
    if isinstance(member.record, Unreadable) or member.record.mac is not None:
        return ""
    return f"no node can wake it: {member.record.mac_problem}"


def doubtful(member: Member) -> str:
    """Why it may be that no other node can wake it; empty if nothing speaks for that."""
    if isinstance(member.record, Unreadable):
        return f"its peers may not know its address: {member.record.reason}"
    return unwakeable(member)


def risk(member: Member, farm: Collection[Member], fresh_s: float) -> str:
    """What is wrong with this node's chances to be up when it is wanted; empty if nothing is."""
    if problem := doubtful(member):
        return problem
    power = member.power
    if isinstance(power, Unreadable):
        return f"its power can't be read: {power.reason}"
    if power.state.power is Power.UP:
        silent_min = member.sign.at_least_s / 60
        return f"no sign of life for {silent_min:.0f} min, though its state is Up" if is_silent(member, fresh_s) else ""
    if problem := no_waker((other for other in farm if other.id != member.id), fresh_s):
        return f"it is asleep, and {problem}"
    return "wanted up, and still asleep" if power.target is Power.UP else ""


def objections(down: Collection[NodeId], farm: Mapping[NodeId, Member], fresh_s: float) -> Iterator[str]:
    """What speaks against the target Down for these nodes of one farm."""
    for node in down:
        member = farm[node]
        if member.contracts is None:
            yield f"whether node {node} has active contracts can't be read"
        elif member.contracts:
            count = "an active contract" if member.contracts == 1 else f"{member.contracts} active contracts"
            yield f"node {node} has {count}: a customer's workload would stop"
        if problem := doubtful(member):
            yield f"node {node}: {problem}"
    if len(farm) == 1:
        yield f"node {next(iter(farm))} is the farm's only node: no other could wake it"
        return
    others = [member for node, member in farm.items() if node not in down]
    if any(is_surely_awake(member, fresh_s) for member in others):
        return
    needed = f"(target and state Up, and a sign of life within {fresh_s / 60:.0f} min)"
    if perhaps := [member.id for member in others if is_awake(member, fresh_s)]:
        yield (
            "it is not certain that another node of the farm would be awake to wake the sleepers "
            f"{needed}: {untold(perhaps)}"
        )
    else:
        yield f"no other node of the farm would be awake to wake the sleepers {needed}"
