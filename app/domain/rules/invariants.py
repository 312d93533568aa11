"""What powerd must never do, checked right before the act: in production, in tests and in the simulator.

A broken invariant is a bug, and no error of the domain: it ends the process before the act. The service manager
restarts powerd, which looks at the chain again. These are no ``assert`` statements, since ``python -O`` leaves those
out. Waking has no invariant: there a restart would cost more than a needless packet. A promise of the simulator
watches it.
"""

from __future__ import annotations

from app.domain.model import NodePower, Power, UptimeSample
from app.domain.rules.power import Observation, wants_down
from app.domain.values import value

LOOK_S_MAX = 5.0
"""An order is given at once after the last look; a process that was frozen in between must look again."""


class InvariantBroken(Exception):
    """powerd was about to do what it must never do; the text says what."""


@value
class Look:
    """The last look before an act, and when it ended (monotonic seconds)."""

    seen: Observation
    ended_at_s: float


def check_power_off(look: Look | None, now_s: float, *, armed: bool, down_is_final: bool) -> None:
    """Before each order to power off (R4 to R6, R14): ``armed`` since the last order, and looked after that."""
    seen = _looked(look, now_s, "power off")
    _must(wants_down(seen.best.power), "power off while the target is not Down")
    _must(seen.finalized is None or wants_down(seen.finalized.power), "power off for a target that is not final")
    _must(down_is_final, "power off before its state Down is final")
    _must(armed, "power off with a card that was not armed for this order")


def check_reboot(look: Look | None, now_s: float) -> None:
    """Before each order to reboot (R13)."""
    power = _looked(look, now_s, "reboot").best.power
    _must(isinstance(power, NodePower) and power.target is Power.UP, "reboot while the target is not Up")


def check_down(seen: Observation, *, enabled: bool) -> None:
    """Before the state Down is sent (R3, R4)."""
    _must(enabled, "say Down while power management is not enabled")
    _must(wants_down(seen.best.power), "say Down while the target is not Down")


def check_up(*, ordered: bool) -> None:
    """Before a shutdown sends the state Up (R12): after its order the host goes down, and Up would be a lie."""
    _must(not ordered, "say Up while the host powers off")


def check_sample(before: UptimeSample, sample: UptimeSample) -> None:
    """Before an uptime report is signed (R8): an uptime that falls within one boot costs the month."""
    _must(sample.uptime_s >= before.uptime_s, "report an uptime that fell without a boot")


def _looked(look: Look | None, now_s: float, act: str) -> Observation:
    if look is None:
        raise InvariantBroken(_broken(f"{act} without a look"))
    seen = look.seen
    _must(now_s - look.ended_at_s <= LOOK_S_MAX, f"{act} on what was read {now_s - look.ended_at_s:.0f} s ago")
    _must(not seen.holds and not seen.holds_unreadable, f"{act} under a hold")
    _must(not seen.not_enabled, f"{act} while power management is not enabled")
    return seen


def _must(holds: bool, never: str) -> None:
    if not holds:
        raise InvariantBroken(_broken(never))


def _broken(never: str) -> str:
    return f"powerd was about to {never}; this is a bug, please report it with the log"
