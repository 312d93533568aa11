"""Waking one node, as a state machine (R7).

Theory of operation. A `Wake` is the effort to get one node up. It begins with an event, with a look at
the chain that shows target Up and state Down, or on request. After that it gets inputs. `ROWS` says what
each input does in each phase, by what the chain says of the node. `step` finds the row and applies it.
docs/wake.md shows the rows and draws them.

A first burst can be *deferred*: other nodes call first (`app.domain.rules.wake_rank`). An event may come
for a node that is dark although its state is Up (after a crash or a power cut). Such a wake is a *hint*:
it gets three bursts within two minutes, or one if it was deferred, since the chain does not show whether
the node woke.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from app.domain.backoff import Backoff, Jitter
from app.domain.commands import DeferBurst, EndWake, SendBurst, WakeCommand
from app.domain.model import NodeId, NodePower, Power, Powers, Unreadable
from app.domain.rules.wake_rank import WakeOrderPolicy
from app.domain.values import value

HINT_BURSTS = 3
HINT_RETRY_S = 45.0


@value
class WakePolicy:
    """Pace of waking; seconds."""

    packets: int
    packet_interval_s: float
    retry: Backoff
    deadline_s: float
    order: WakeOrderPolicy

    @property
    def burst_s(self) -> float:
        return self.packets * self.packet_interval_s


@value
class Wake:
    """The effort to wake one node; times are monotonic seconds.

    ``wanted_at_s`` is when the wake began, or when the last event came; an answer of the chain to an earlier
    request cannot end the wake. ``saw_down``: the chain has shown state Down since the wake began.
    ``hint_bursts`` is the number of bursts while the chain has not shown that.
    """

    node: NodeId
    reason: str
    began_at_s: float
    wanted_at_s: float
    due_at_s: float
    deferred: bool = False
    saw_down: bool = False
    bursts: int = 0
    last_burst_at_s: float = float("-inf")
    hint_bursts: int = HINT_BURSTS

    @property
    def phase(self) -> Phase:
        if self.deferred:
            return Phase.DEFERRED if self.saw_down else Phase.DEFERRED_HINT
        if self.saw_down:
            return Phase.CALLING
        return Phase.CALLING_HINT if self.bursts < self.hint_bursts else Phase.SPENT_HINT

    def is_overdue(self, policy: WakePolicy) -> bool:
        """Whether its last burst came after the deadline for the node to wake."""
        return self.last_burst_at_s - self.began_at_s >= policy.deadline_s


class Phase(enum.Enum):
    """Where a wake stands."""

    NONE = "no wake"
    DEFERRED = "other nodes call this sleeper first"
    DEFERRED_HINT = "other nodes call first; the state says Up"
    CALLING = "this node calls the sleeper, again and again"
    CALLING_HINT = "this node calls; the state says Up"
    SPENT_HINT = "all bursts of the hint were sent"


class Seen(enum.Enum):
    """What the chain says of the node."""

    ASLEEP = "target Up, state Down"
    AWAKE = "target Up, state Up"
    UNWANTED = "target Down"
    UNKNOWN = "no answer, or one that can't be read"
    ABSENT = "the node left the farm"


@value
class Event:
    """An event named the node; ``power`` was read after it."""

    power: NodePower | Unreadable
    reason: ClassVar[str] = "its target changed"


@value
class Look:
    """A look at the farm without an event; ``power`` None: the node left the farm."""

    power: NodePower | Unreadable | None
    asked_at_s: float
    reason: ClassVar[str] = "target Up, state Down"


@value
class Due:
    """The wake is due, and the chain was read for it."""

    power: NodePower | Unreadable
    asked_at_s: float


@value
class Request:
    """An operator or another service asks for a burst now."""

    reason: str


@value
class OwnPowerOff:
    """This node is about to power off, so it can defer no burst any more."""


Input = Event | Look | Due | Request | OwnPowerOff


class Then(enum.Enum):
    """What a row does."""

    NOTHING = "nothing"
    BEGIN = "begin; send a burst, or defer it when other nodes call first"
    CALL = "send a burst"
    RESTART = "send a burst, and count bursts from 1"
    RANK_AGAIN = "go on deferring; its turn may come sooner, as other wakers may have gone"
    HURRY = "its turn comes now"
    AWAKE = "end: awake"
    UNWANTED = "end: its target is Down"
    ABSENT = "end: it left the farm"
    SPENT = "end: its state is Up, and all its bursts were sent"
    LEAVE = "end: its state is Up, and other nodes call it"


@value
class Row:
    """What happens for one kind of input, in each of these phases, for each of these answers of the chain."""

    on: type[Input]
    phases: tuple[Phase, ...]
    seen: tuple[Seen, ...]
    then: Then


_DEFERRED = (Phase.DEFERRED, Phase.DEFERRED_HINT)
_CALLING = (Phase.CALLING, Phase.CALLING_HINT, Phase.SPENT_HINT)
_ALL = _DEFERRED + _CALLING

ROWS: tuple[Row, ...] = (
    Row(Event, (Phase.NONE,), (Seen.ASLEEP, Seen.AWAKE), Then.BEGIN),
    Row(Event, (Phase.NONE,), (Seen.UNKNOWN,), Then.CALL),
    Row(Event, (Phase.NONE,), (Seen.UNWANTED,), Then.NOTHING),
    Row(Event, _DEFERRED, (Seen.ASLEEP,), Then.RANK_AGAIN),
    Row(Event, (Phase.DEFERRED_HINT,), (Seen.AWAKE,), Then.RANK_AGAIN),
    Row(Event, _ALL, (Seen.UNKNOWN,), Then.RESTART),
    Row(Event, _CALLING, (Seen.ASLEEP,), Then.RESTART),
    Row(Event, (Phase.CALLING_HINT, Phase.SPENT_HINT), (Seen.AWAKE,), Then.RESTART),
    Row(Look, (Phase.NONE,), (Seen.ASLEEP,), Then.BEGIN),
    Row(Look, (Phase.NONE,), (Seen.AWAKE, Seen.UNWANTED, Seen.UNKNOWN, Seen.ABSENT), Then.NOTHING),
    Row(Look, _DEFERRED, (Seen.ASLEEP, Seen.UNKNOWN), Then.RANK_AGAIN),
    Row(Look, (Phase.DEFERRED_HINT,), (Seen.AWAKE,), Then.RANK_AGAIN),
    Row(Look, _CALLING, (Seen.ASLEEP, Seen.UNKNOWN), Then.NOTHING),
    Row(Look, (Phase.CALLING_HINT,), (Seen.AWAKE,), Then.NOTHING),
    Row(Look, (Phase.SPENT_HINT,), (Seen.AWAKE,), Then.SPENT),
    Row(Look, _ALL, (Seen.ABSENT,), Then.ABSENT),
    Row(Due, (Phase.NONE,), (Seen.ASLEEP, Seen.AWAKE, Seen.UNWANTED, Seen.UNKNOWN), Then.NOTHING),
    Row(Due, _ALL, (Seen.ASLEEP, Seen.UNKNOWN), Then.CALL),
    Row(Due, (Phase.DEFERRED_HINT, Phase.CALLING_HINT), (Seen.AWAKE,), Then.CALL),
    Row(Due, (Phase.SPENT_HINT,), (Seen.AWAKE,), Then.SPENT),
    *(Row(on, (Phase.DEFERRED, Phase.CALLING), (Seen.AWAKE,), Then.AWAKE) for on in (Event, Look, Due)),
    *(Row(on, _ALL, (Seen.UNWANTED,), Then.UNWANTED) for on in (Event, Look, Due)),
    Row(Request, (Phase.NONE, *_ALL), (Seen.UNKNOWN,), Then.CALL),
    Row(OwnPowerOff, (Phase.DEFERRED,), (Seen.UNKNOWN,), Then.HURRY),
    Row(OwnPowerOff, (Phase.DEFERRED_HINT,), (Seen.UNKNOWN,), Then.LEAVE),
    Row(OwnPowerOff, (Phase.NONE, *_CALLING), (Seen.UNKNOWN,), Then.NOTHING),
)


TABLE = {(row.on, phase, seen): row.then for row in ROWS for phase in row.phases for seen in row.seen}


@value
class Terms:
    """What the steps of all wakes need; ``turn_s`` gives the seconds for which other nodes call first (0: none do)."""

    policy: WakePolicy
    turn_s: Callable[[Wake], float]
    jitter: Jitter


def step(
    wake: Wake | None, node: NodeId, happened: Input, now_s: float, terms: Terms
) -> tuple[Wake | None, WakeCommand | None]:
    """The wake after this input (None: there is none), and the command (None: nothing to do)."""
    seen = seen_in(happened)
    if wake is None:
        then = TABLE[type(happened), Phase.NONE, seen]
        if then is Then.NOTHING:
            return None, None
        assert isinstance(happened, Event | Look | Request), "no other input begins a wake"
        begun = Wake(node, happened.reason, now_s, wanted_at_s=now_s, due_at_s=now_s, saw_down=seen is Seen.ASLEEP)
        return _apply(begun, then, now_s, terms)
    if isinstance(happened, Event) and seen is not Seen.UNWANTED:
        wake = replace(wake, wanted_at_s=now_s)
    match happened:
        case Event() | Request() if not wake.deferred and now_s - wake.last_burst_at_s < terms.policy.burst_s:
            return wake, None  # a burst is in flight; a second one at the same time would only add traffic
        case Due() if wake.due_at_s > now_s:
            return wake, None  # a burst was sent meanwhile
        case Look() | Due() if wake.wanted_at_s > happened.asked_at_s:
            if isinstance(happened, Look) or not wake.deferred:
                return wake, None
            seen = Seen.UNKNOWN  # once its turn has come, the burst does not wait for a second read
    then = TABLE[type(happened), wake.phase, seen]
    if seen is Seen.ASLEEP and not wake.saw_down:
        wake = replace(wake, saw_down=True)
    return _apply(wake, then, now_s, terms)


def _apply(wake: Wake, then: Then, now_s: float, terms: Terms) -> tuple[Wake | None, WakeCommand | None]:
    match then:
        case Then.NOTHING:
            return wake, None
        case Then.BEGIN if delay_s := terms.turn_s(wake):
            deferred = replace(wake, deferred=True, due_at_s=now_s + delay_s, hint_bursts=1)
            return deferred, DeferBurst(wake.node, delay_s)
        case Then.BEGIN | Then.CALL:
            return _burst(wake, now_s, terms)
        case Then.RESTART:
            return _burst(replace(wake, bursts=0), now_s, terms)
        case Then.RANK_AGAIN:
            turn_at_s = wake.began_at_s + terms.turn_s(wake)
            return (replace(wake, due_at_s=turn_at_s) if turn_at_s < wake.due_at_s else wake), None
        case Then.HURRY:
            return replace(wake, due_at_s=now_s), None
        case _:
            return None, EndWake(wake.node, wake.bursts, then.value.removeprefix("end: "))


def _burst(wake: Wake, now_s: float, terms: Terms) -> tuple[Wake, SendBurst]:
    retry, bursts = terms.policy.retry, wake.bursts + 1
    pause_s = retry.delay_s(bursts, terms.jitter) if wake.saw_down else min(HINT_RETRY_S, retry.delay_s_max)
    sent = replace(wake, deferred=False, bursts=bursts, last_burst_at_s=now_s, due_at_s=now_s + pause_s)
    return sent, SendBurst(wake.node)


def seen_in(happened: Input) -> Seen:
    """What the chain says of the node in this input; `Seen.UNKNOWN` for an input without a power."""
    if isinstance(happened, Request | OwnPowerOff):
        return Seen.UNKNOWN
    power = happened.power
    if power is None:
        return Seen.ABSENT
    if isinstance(power, Unreadable):
        return Seen.UNKNOWN
    if power.target is Power.DOWN:
        return Seen.UNWANTED
    return Seen.ASLEEP if power.to_wake else Seen.AWAKE


def sleepers_to_wake(powers: Powers) -> list[NodeId]:
    """The nodes whose wake a look at the chain begins without an event."""
    return [node for node, power in powers.items() if power.to_wake]


def may_be_asleep(power: NodePower | Unreadable) -> bool:
    """Whether a node with this power may be asleep now or soon, so that its address should be read in advance."""
    return not power.awake


def worth_waiting(wake: Wake, policy: WakePolicy) -> bool:
    """Whether it delays the own power-off: only a wake of a sleeper does, and only until its deadline."""
    return wake.saw_down and not wake.is_overdue(policy)
