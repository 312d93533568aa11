"""Which nodes of a farm may not wake again, by what the chain shows of all its nodes (R14).

Theory of operation. A node sleeps safely while another node of its farm is awake and has its address.
The state alone proves nothing: the state of a crashed node stays Up for ever. So a node counts as
awake while its target and state are Up and the chain shows a recent sign of life. An endpoint without
an archive knows only the last 25 minutes; without a sign in them the result is doubt, and says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from app.domain.model import Node, NodeId, NodePower, Power, Unreadable
from app.domain.values import value


@value
class SignAge:
    """How long ago a node gave its last sign of life, as bounds in seconds.

    ``at_most_s`` is None where none was found in the blocks that could be read, which reach ``at_least_s``
    back. ``whole``: those are all blocks of the chain.
    """

    at_least_s: float
    at_most_s: float | None
    whole: bool = False


UNKNOWN = SignAge(0.0, None)


@value
class Member:
    """A node of a farm, as the chain shows it. ``contracts`` is None where their number cannot be read."""

    id: NodeId
    record: Node | Unreadable
    power: NodePower | Unreadable
    sign: SignAge = UNKNOWN
    contracts: int | None = 0


def state_of(member: Member) -> Power | None:
    """The node's state; None where it cannot be read."""
    return member.power.state.power if isinstance(member.power, NodePower) else None


def is_silent(member: Member, fresh_s: float) -> bool:
    """Whether it certainly gave no sign of life for ``fresh_s``."""
    return member.sign.at_least_s >= fresh_s


def is_awake(member: Member, fresh_s: float) -> bool:
    """Whether it can wake others: target and state are Up, and it is not known to be silent.

    False where its record cannot be read, since its signs of life cannot be found then.
    """
    return member.power.awake and isinstance(member.record, Node) and not is_silent(member, fresh_s)


def is_surely_awake(member: Member, fresh_s: float) -> bool:
    """As `is_awake`, and the chain shows a recent sign of life, or all of the chain is recent."""
    return is_awake(member, fresh_s) and (member.sign.at_most_s is not None or member.sign.whole)


@value
class Wakers:
    """Nodes that can wake another one. Those in ``perhaps`` may be silent: the chain does not show their last sign."""

    sure: Sequence[NodeId] = ()
    perhaps: Sequence[NodeId] = ()


def wakers(member: Member, farm: Iterable[Member], fresh_s: float) -> Wakers:
    """The wakers of its farm; none if its address is unusable. Whether its network segment is theirs is not known."""
    if unwakeable(member):
        return Wakers()
    awake = [other for other in farm if other.id != member.id and is_awake(other, fresh_s)]
    sure = [other.id for other in awake if is_surely_awake(other, fresh_s)]
    return Wakers(sure, [other.id for other in awake if other.id not in sure])


def no_waker(farm: Iterable[Member], fresh_s: float) -> str:
    """Why it is not certain that one of these nodes can wake others; empty if one can.

    The text continues a sentence: "it is asleep, and …".
    """
    members = list(farm)
    if any(is_surely_awake(member, fresh_s) for member in members):
        return ""
    perhaps = [member.id for member in members if is_awake(member, fresh_s)]
    if not perhaps:
        return "no node of its farm is awake to wake it"
    return f"it is not certain that a node of its farm is awake to wake it: {sign_unknown(perhaps)}"


def sign_unknown(nodes: Sequence[NodeId]) -> str:
    """That these nodes' last sign of life is not known, with the remedy."""
    more = f" and {len(nodes) - NAMED_MAX} more" if len(nodes) > NAMED_MAX else ""
    named = f"node{'s' if len(nodes) > 1 else ''} {', '.join(map(str, nodes[:NAMED_MAX]))}{more}"
    return (
        f"the chain does not show when {named} gave the last sign of life; name an endpoint that keeps old blocks "
        "(an archive) in chain.urls"
    )


NAMED_MAX = 8
"""How many nodes a message names."""


def unwakeable(member: Member) -> str:
    """Why no other node could wake it; empty if one could.

    Peers may remember the address of a record that cannot be read now, so that is only doubt: `doubtful`.
    """
    if isinstance(member.record, Unreadable) or member.record.mac is not None:
        return ""
    return f"no node can wake it: {member.record.mac_problem}"


def doubtful(member: Member) -> str:
    """Why other nodes perhaps cannot wake it; empty if they can."""
    if isinstance(member.record, Unreadable):
        return f"its peers may not know its address: {member.record.reason}"
    return unwakeable(member)


def risk(member: Member, farm: Collection[Member], fresh_s: float) -> str:
    """Why this node may not be up when its target is Up; empty if nothing is wrong."""
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
    """Every reason not to set the target Down for these nodes of one farm."""
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
            f"{needed}: {sign_unknown(perhaps)}"
        )
    else:
        yield f"no other node of the farm would be awake to wake the sleepers {needed}"
