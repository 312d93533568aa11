"""The shutdown sequence (R5) as data, and whether its Down is final.

Theory of operation. Every step passes or aborts the sequence. An abort after SAY_DOWN sets the state Up
again; what that means for the income is R13 (`app.domain.rules.paid`). Between the steps the guards of
`app.domain.rules.power` are asked again, so a target Up or a hold ends the sequence at any step. If the
settings ask for the clock's alarm, it is armed and read back with the card, and cleared by every abort.

==========  ======================================================  ============================
step        does                                                    when it fails
==========  ======================================================  ============================
ARM         arm the card (and the clock) and read it back           abort; a fault
            fewer than two uptime reports yet: one more             log it and go on
            state Down since before this boot: say Up               abort; state Up
            finish bursts in flight; ask every guard once more,     abort
            and beside that: read the address on chain, and save
            that Down comes
SAY_DOWN    state Down included (unless it already is there)        abort
FINAL       wait until no fork can undo that Down                   abort; state Up
UPTIME      a last uptime report; one fresh retry                   log it and go on
TARGET      finish bursts in flight; arm again; then read the       abort; state Up
            target, and beside that the address on chain
POWER_OFF   order it; still alive later: again; then by force       state Up; a fault; later again
==========  ======================================================  ============================
"""

from __future__ import annotations

import enum

from app.domain.model import Inclusion, NodePower, Power
from app.domain.rules.power import Observation
from app.domain.values import value


class Step(enum.Enum):
    """The steps, in their order."""

    ARM = "arm"
    SAY_DOWN = "say down"
    FINAL = "final"
    UPTIME = "uptime"
    TARGET = "target"
    POWER_OFF = "power off"


@value
class ShutdownPolicy:
    """Deadlines of the steps; seconds.

    ``power_off_deadline_s`` is how long a machine may run after the order before the next order: longer than
    systemd's ``DefaultTimeoutStopSec`` (90 s). ``stopping_s_max`` is the same while the init system says
    that it is stopping.
    """

    final_deadline_s: float
    settled_s: float
    follow_up_s: float
    uptime_deadline_s: float
    power_off_deadline_s: float
    retry_later_s: float
    stopping_s_max: float = 900.0
    announce_s: float = 3.0
    ask_stopping_s: float = 0.5

    @property
    def order_retry_s(self) -> float:
        return min(5.0, self.power_off_deadline_s)


class Finality(enum.Enum):
    """What the chain says of our Down."""

    FINAL = "final"
    PENDING = "pending"
    UNDONE = "undone"


def finality_of_down(seen: Observation, down: Inclusion, waited_s: float, policy: ShutdownPolicy) -> Finality:
    """Whether the Down that was included in ``down`` can still be undone.

    Behind a gateway without finality, a Down that is still there after ``settled_s`` is final.
    """
    final = None if seen.finalized is None else seen.finalized.head
    if seen.finalized is None or final is None or final.number is None or down.block_number is None:
        if waited_s < policy.settled_s:
            return Finality.PENDING
        return Finality.FINAL if is_down(seen.best.power) else Finality.UNDONE
    if final.number < down.block_number:
        return Finality.PENDING
    return Finality.FINAL if is_down(seen.finalized.power) else Finality.UNDONE


def already_final(seen: Observation) -> bool:
    """Whether a final Down is on chain already, such as after a boot by hand."""
    if seen.finalized is None:
        return False
    return is_down(seen.best.power) and is_down(seen.finalized.power)


def is_down(power: object) -> bool:
    """Whether the chain's answer is readable, and its state is Down."""
    return isinstance(power, NodePower) and power.state.power is Power.DOWN
