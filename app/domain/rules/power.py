"""Whether this node reports Up, shuts down, or stays up against its target.

Theory of operation. An `Observation` is everything the node knows at one moment. It has the node's power
twice: at the best head, where Up counts at once, and at the finalized head, since only a Down that no
fork can undo powers a machine off (R6).

======  ==========  =============  ==============================================
target  own state   guards         command
======  ==========  =============  ==============================================
Up      Up          (not asked)    Nothing
Up      Down        (not asked)    ReportUp (also while our last state is uncertain)
Down    any         all pass       ShutDown (which alone writes Down, R5)
Down    any         one objects    StayUp; a state Down is set to Up (R4)
broken  any         (not asked)    StayUp, and look again soon (R6)
======  ==========  =============  ==============================================

The guards are the rows of `GUARDS`, asked in that order. The first one that objects gives the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from app.domain.commands import Guard, LookAgain, Nothing, PowerCommand, ReportUp, ShutDown, StayUp
from app.domain.model import Head, Hold, NodeId, NodePower, Power, Unreadable
from app.domain.values import value


@value
class OwnPower:
    """This node's power at one head of the chain; ``head`` is None where the gateway does not say which."""

    head: Head | None
    power: NodePower | Unreadable


@value
class Observation:
    """What the node knows when it decides.

    ``finalized`` is None where the chain has no finality (behind a gateway). ``not_enabled``,
    ``cooling_down``, ``boot_loop``, ``last_waker`` and ``unproved`` are objections, or empty; ``head_unreadable`` says
    why the age of the best head is not known. ``not_enabled_may_pass``: the host did not answer in time,
    and may answer later. ``own_state_uncertain``: an extrinsic of ours may still be included, and change
    the state on chain. ``deferred_for_s`` counts from when an unfinished wake first delayed this power-off.
    """

    best: OwnPower
    finalized: OwnPower | None
    now_s: float
    head_unreadable: str = ""
    not_enabled: str = ""
    not_enabled_may_pass: bool = False
    holds: tuple[Hold, ...] = ()
    holds_unreadable: str = ""
    unfinished_wakes: tuple[NodeId, ...] = ()
    deferred_for_s: float = 0.0
    cooling_down: str = ""
    own_state_uncertain: bool = False
    boot_loop: str = ""
    last_waker: str = ""
    unproved: str = ""


@value
class PowerLimits:
    """Limits in seconds. An age of 0 is not checked (for a chain that makes blocks on demand)."""

    best_head_age_s_max: float
    finalized_head_age_s_max: float
    defer_power_off_s: float


def wants_down(power: NodePower | Unreadable) -> bool:
    return isinstance(power, NodePower) and power.target is Power.DOWN


def decide(seen: Observation, limits: PowerLimits) -> PowerCommand:
    """The command for this observation, by the table above."""
    power = seen.best.power
    if isinstance(power, Unreadable):
        reason = f"the chain's answer is broken: {power.reason}"
        return StayUp(Guard.UNREADABLE, reason, LookAgain.SOON, say_up=seen.own_state_uncertain)
    say_up = power.state.power is Power.DOWN or seen.own_state_uncertain
    if power.target is Power.UP:
        return ReportUp() if say_up else Nothing()
    for guard in GUARDS:
        objection = guard(seen, limits)
        if objection is not None:
            return replace(objection, say_up=say_up)
    return ShutDown()


def not_enabled(seen: Observation, _: PowerLimits) -> StayUp | None:
    """R11: a node that cannot be woken, or must not sleep, stays up."""
    if seen.not_enabled:
        again = LookAgain.IN_A_WHILE if seen.not_enabled_may_pass else LookAgain.NEXT_ROUND
        return StayUp(Guard.NOT_ENABLED, f"power management is not enabled: {seen.not_enabled}", again)
    return None


def held(seen: Observation, _: PowerLimits) -> StayUp | None:
    """R6: a hold keeps the machine up, and so do holds that cannot be read."""
    if seen.holds_unreadable:
        return StayUp(
            Guard.HELD, f"whether there is a hold is not known: {seen.holds_unreadable}", LookAgain.IN_A_WHILE
        )
    if seen.holds:
        hold = seen.holds[0]
        return StayUp(Guard.HELD, f"held by {hold.holder}: {hold.reason}", LookAgain.IN_A_WHILE)
    return None


def cooling_down(seen: Observation, _: PowerLimits) -> StayUp | None:
    """R5: after a failed power-off, wait before the next one."""
    if seen.cooling_down:
        return StayUp(Guard.COOLING_DOWN, seen.cooling_down, LookAgain.NEXT_ROUND)
    return None


def boot_loop(seen: Observation, _: PowerLimits) -> StayUp | None:
    """R10: what boots this node again and again would boot it again at once."""
    if seen.boot_loop:
        return StayUp(Guard.BOOT_LOOP, seen.boot_loop, LookAgain.NEXT_ROUND)
    return None


def best_head(seen: Observation, limits: PowerLimits) -> StayUp | None:
    """R6: a best head that is too old, of the future, or of unknown age says nothing about now."""
    if seen.head_unreadable and limits.best_head_age_s_max:
        return StayUp(
            Guard.BEST_HEAD, f"the age of the chain's answer is not known: {seen.head_unreadable}", LookAgain.SOON
        )
    return _age_objection(Guard.BEST_HEAD, seen.best.head, seen.now_s, limits.best_head_age_s_max)


def not_final(seen: Observation, _: PowerLimits) -> StayUp | None:
    """R6: a fork can still undo a target Down that is not final."""
    if seen.finalized is None:
        return None
    power = seen.finalized.power
    if isinstance(power, Unreadable):
        return StayUp(Guard.NOT_FINAL, f"the chain's finalized answer is broken: {power.reason}", LookAgain.SOON)
    if power.target is not Power.DOWN:
        return StayUp(Guard.NOT_FINAL, "the target Down is not finalized yet", LookAgain.NEXT_FINALIZED_HEAD)
    return None


def finalized_head(seen: Observation, limits: PowerLimits) -> StayUp | None:
    """R6: without new finalized blocks the chain is in trouble."""
    if seen.finalized is None:
        return None
    return _age_objection(Guard.FINALIZED_HEAD, seen.finalized.head, seen.now_s, limits.finalized_head_age_s_max)


def waking(seen: Observation, limits: PowerLimits) -> StayUp | None:
    """R7: this node may be the only one that can wake the sleeper. It waits for a limited time."""
    if seen.unfinished_wakes and seen.deferred_for_s < limits.defer_power_off_s:
        peers = ", ".join(str(node) for node in seen.unfinished_wakes)
        return StayUp(Guard.WAKING, f"still waking node {peers}", LookAgain.SOON)
    return None


def last_waker(seen: Observation, _: PowerLimits) -> StayUp | None:
    """R14: another node must be awake to wake this one and the others."""
    if seen.last_waker:
        return StayUp(Guard.LAST_WAKER, seen.last_waker, LookAgain.IN_A_WHILE)
    return None


def unproved(seen: Observation, _: PowerLimits) -> StayUp | None:
    """R14: the operator wants one wake to be seen before the node sleeps again and again."""
    if seen.unproved:
        return StayUp(Guard.UNPROVED, seen.unproved, LookAgain.IN_A_WHILE)
    return None


GuardRule = Callable[[Observation, PowerLimits], StayUp | None]

GUARDS: tuple[GuardRule, ...] = (
    not_enabled,
    held,
    cooling_down,
    boot_loop,
    best_head,
    not_final,
    finalized_head,
    waking,
    last_waker,
    unproved,
)


def names(guards: Sequence[GuardRule]) -> tuple[str, ...]:
    return tuple(guard.__name__ for guard in guards)


def _age_objection(guard: Guard, head: Head | None, now_s: float, age_s_max: float) -> StayUp | None:
    if head is None or age_s_max == 0:
        return None
    age_s = head.off_by_s(now_s)
    name = f"the {head.kind.value} head{'' if head.number is None else f' {head.number}'}"
    if age_s > age_s_max:
        reason = f"{name} is {age_s:.0f} s old, more than {age_s_max:.0f} s"
        return StayUp(guard, reason, LookAgain.NEXT_FINALIZED_HEAD)
    if age_s < -age_s_max:
        reason = f"{name} is {-age_s:.0f} s ahead of this machine's clock"
        return StayUp(guard, reason, LookAgain.NEXT_FINALIZED_HEAD)
    if head.seen_s_max is not None and head.seen_s_max > age_s_max:
        reason = f"the chain was not seen to make a block within {age_s_max:.0f} s, and its time is only roughly known"
        return StayUp(guard, reason, LookAgain.NEXT_FINALIZED_HEAD)
    return None
