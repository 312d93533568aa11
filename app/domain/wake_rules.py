"""Whether a sleeping node of the farm gets another burst of magic packets (R7).

Theory of operation. A `Wake` is the effort to get one node up. It begins with an event (then the
node is *hinted* at: it may be dark although its state says Up, after a crash or a power cut) or
with a look at the chain that shows target Up and state Down.

======  ======  ========================  ==========================================
target  state   this wake                 command
======  ======  ========================  ==========================================
Down    any     any                       end: it is not wanted up any more
Up      Down    any                       burst, again and again, with backoff
Up      Up      saw the state Down        end: awake
Up      Up      hinted, bursts left       burst, three within two minutes
Up      Up      hinted, bursts used up    end: all its bursts were sent
broken  any     any                       burst as if asleep: a wake too many is harmless
absent  absent  any                       end: it left the farm
======  ======  ========================  ==========================================

The first burst may be *held back*: others call the node first (`app.domain.wake_rank`). When its turn
has come, the table decides, by what the chain says then. One that is hinted at gets one burst then
instead of three: nothing shows whether those before it were heard.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.domain.backoff import Backoff, Jitter
from app.domain.commands import EndWake, SendBurst, WakeCommand
from app.domain.model import NodeId, NodePower, Power, Unreadable
from app.domain.wake_rank import TurnPolicy

_UP, _DOWN = Power.UP, Power.DOWN  # asked of every node of a farm at every look: an enum's lookup shows

HINTED_BURSTS = 3
HINTED_RETRY_S = 45.0


@dataclass(slots=True)
class Wake:
    """The effort to wake one node; times are monotonic seconds."""

    node: NodeId
    reason: str
    began_at_s: float
    saw_down: bool = False
    bursts: int = 0
    last_burst_at_s: float = float("-inf")
    due_at_s: float = 0.0
    held_back: bool = False
    hinted_bursts: int = HINTED_BURSTS
    """So many it gets for as long as the chain does not show it asleep."""
    news_at_s: float = float("-inf")
    """When an event, or its begin, last said that it is wanted: what was asked before that ends nothing."""
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class WakePolicy:
    """Pace of waking; seconds."""

    packets: int = 10
    packet_interval_s: float = 0.5
    retry: Backoff = Backoff(15.0, 300.0)
    deadline_s: float = 1800.0
    turns: TurnPolicy = field(default_factory=TurnPolicy)

    @property
    def burst_s(self) -> float:
        """How long one burst lasts."""
        return self.packets * self.packet_interval_s


def wants_waking(power: NodePower | Unreadable) -> bool:
    """Whether a look at the chain, without any event, is reason enough to begin a wake."""
    return isinstance(power, NodePower) and power.target is _UP and power.state.power is _DOWN


def may_be_wanted_up(power: NodePower | Unreadable) -> bool:
    """Whether a fresh event about a node with this entry brings a burst at once."""
    return isinstance(power, Unreadable) or power.target is Power.UP


def may_sleep(power: NodePower | Unreadable) -> bool:
    """Whether a node with this entry is asleep, or will be: its address is worth knowing before its event."""
    return isinstance(power, Unreadable) or power.target is _DOWN or power.state.power is _DOWN


def next_step(wake: Wake, power: NodePower | Unreadable | None) -> WakeCommand:
    """What to do for ``wake`` now, given what the chain says (None: the node left the farm)."""
    if power is None:
        return EndWake(wake.node, "it left the farm")
    if isinstance(power, Unreadable) or wants_waking(power):
        return SendBurst(wake.node)
    if power.target is Power.DOWN:
        return EndWake(wake.node, "its target is Down")
    if wake.saw_down:
        return EndWake(wake.node, "awake")
    if wake.bursts < wake.hinted_bursts:
        return SendBurst(wake.node)
    return EndWake(wake.node, "its state is Up, and all its bursts were sent")


def worth_waiting(wake: Wake) -> bool:
    """Whether the own power-off should be put off for it: not past its deadline, nor for a node that may be awake.

    Of the latter the first burst is waited for, unless others send it.
    """
    return not wake.overdue and (wake.saw_down or not (wake.bursts or wake.held_back))


def retry_delay_s(wake: Wake, policy: WakePolicy, jitter: Jitter) -> float:
    """How long after the burst just begun the next one is due."""
    if wake.saw_down:
        return policy.retry.delay_s(wake.bursts, jitter)
    return min(HINTED_RETRY_S, policy.retry.delay_s_max)
