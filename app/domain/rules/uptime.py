"""When missing uptime reports become a fault, and the remedy for each reason (R13, R15)."""

from __future__ import annotations

from app.domain.backoff import Backoff
from app.domain.errors import ChainUnavailable, ClockWrong, ExtrinsicFailed, ExtrinsicRefused, UptimeStoodStill
from app.domain.minting.limits import GRACE_S
from app.domain.model import UptimeSample
from app.domain.rules.clock import HINT_WINDOW_S
from app.domain.values import value

GAP_S_MAX = 2460.0
"""The minting credits at most this between two reports."""

CHAIN_REMEDY = "see that one of chain.urls (with profile zos: api-gateway) answers and takes extrinsics"


@value
class UptimePolicy:
    """Pace of the reports; seconds.

    A lost report costs nothing while ``interval_s`` is less than half of `GAP_S_MAX`. ``silence_s`` is the
    time without a report after which a fault is raised, ``first_silence_s`` the same before the first
    report of this daemon. ``first_report_wait_s`` is how long the daemon's first look at its own power waits for
    the first report.
    """

    interval_s: float
    retry: Backoff
    unhealthy_retry_s: float
    report_s_max: float
    silence_s: float
    first_report_wait_s: float
    first_silence_s: float = 600.0


def reason_of(error: Exception) -> str:
    """The reason of the failure, as a text that is the same at each attempt."""
    if isinstance(error, ExtrinsicFailed):
        return error.outcome
    return str(error) or "the chain took too long"


def remedy_for(error: Exception) -> str:
    if isinstance(error, ClockWrong):
        return "the fault about the clock says more"
    if isinstance(error, UptimeStoodStill):
        return "reboot this machine: the minting credits what it reports after a boot"
    if isinstance(error, ExtrinsicRefused) and error.reason == ExtrinsicRefused.PAYMENT:
        return "the fault about its account says what to do"
    if isinstance(error, ExtrinsicFailed) and error.error == ExtrinsicFailed.INVALID_TIME:
        return "see that this machine's clock is synchronised (NTP)"
    if isinstance(error, ExtrinsicFailed):
        return "see that this node is registered on the chain, with the key that it signs with"
    if isinstance(error, ChainUnavailable | TimeoutError):
        return CHAIN_REMEDY
    return f"{CHAIN_REMEDY}; try another one"


def stood_still_s(before: UptimeSample, sample: UptimeSample) -> float:
    """How long the uptime stood still since the report ``before``; 0 unless the minting is certain to take it so.

    A virtual machine that was paused (moved, or saved) lacks that time for good. The minting would find the uptime too
    low, which costs the month. Only a boot ends that: then the uptime is less than the gap. At both samples
    the clock may differ from the chain's by `HINT_WINDOW_S`.
    """
    gap_s = sample.taken_at_s - before.taken_at_s
    lack_s = gap_s - (sample.uptime_s - before.uptime_s)
    certain = lack_s > GRACE_S + 2 * HINT_WINDOW_S and sample.uptime_s > gap_s + 2 * HINT_WINDOW_S
    return lack_s if certain else 0.0


def silence(since_s: float, *, ever: bool, policy: UptimePolicy) -> tuple[float, str]:
    """When silence becomes a fault (in the time of ``since_s``), and the words in that fault for how long."""
    if ever:
        return since_s + policy.silence_s, f"for more than {policy.silence_s / 60:.0f} min"
    return (
        since_s + policy.first_silence_s,
        f"since powerd started, more than {policy.first_silence_s / 60:.0f} min ago",
    )
