"""Turns settings into the policies of the domain, which knows no settings."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from app.domain.backoff import Backoff
from app.domain.rules.boot_loop import BootLoopPolicy
from app.domain.rules.power import PowerLimits
from app.domain.rules.shutdown import ShutdownPolicy
from app.domain.rules.silence import SilencePolicy
from app.domain.rules.uptime import GAP_S_MAX, UptimePolicy
from app.domain.rules.wake import WakePolicy
from app.domain.rules.wake_rank import WakeOrderPolicy
from app.domain.services.context.reconciler import ReconcilePolicy
from app.domain.services.reporting.clock_watch import NEXT_BLOCK_S_MAX
from app.domain.services.reporting.fee_pace import FeePolicy
from app.entrypoints.settings.base import Section
from app.entrypoints.settings.profiles import behind_gateway
from app.entrypoints.settings.schema import Settings

NODES_AT_ONCE = 2
"""Calls in flight to a gateway with one worker: it serves one, and one more waits there."""

Policy = TypeVar("Policy")


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies for one node's services."""

    limits: PowerLimits
    wake: WakePolicy
    shutdown: ShutdownPolicy
    uptime: UptimePolicy
    fees: FeePolicy
    reconcile: ReconcilePolicy
    farm_reconcile: ReconcilePolicy
    boot_loop: BootLoopPolicy
    silence: SilencePolicy
    power_off_allowed: bool
    reboot_allowed: bool
    last_waker_guard: bool
    proved_wake_required: bool
    sign_of_life_s: float
    farm_refresh_s: float
    nodes_at_once: int | None
    events_stale_after_s: float
    rtc_alarm_ahead_s: int


def policies(settings: Settings) -> Policies:
    """The policies of the settings."""
    chain, power, uptime, wake = settings.chain, settings.power_management, settings.uptime, settings.wake
    zbus = settings.zbus
    gateway = behind_gateway(settings)
    follow_up_s = max(power.follow_up_s, zbus.gateway_follow_up_s) if gateway else power.follow_up_s
    own = ReconcilePolicy(power.reconcile_interval_s, power.reconcile_jitter, follow_up_s)
    farm = replace(own, interval_s=max(own.interval_s, zbus.gateway_farm_interval_s)) if gateway else own
    report_s_max = 3 * zbus.gateway_timeout_s if gateway else 3 * chain.timeout_s + chain.inclusion_timeout_s
    fee_s_max = max(uptime.interval_s, uptime.retry_delay_s_max)
    return Policies(
        limits=_of(PowerLimits, chain, defer_power_off_s=wake.defer_power_off_s),
        wake=_of(WakePolicy, wake, retry=_retry(wake), order=_of(WakeOrderPolicy, wake)),
        shutdown=_of(ShutdownPolicy, settings.shutdown, follow_up_s=follow_up_s),
        uptime=_of(
            UptimePolicy,
            uptime,
            retry=_retry(uptime),
            report_s_max=report_s_max + 2 * NEXT_BLOCK_S_MAX,
            silence_s=max(GAP_S_MAX, uptime.interval_s + uptime.retry_delay_s_max),
        ),
        # Calls that cost a fee are retried with growing pauses, up to the interval of the reports.
        fees=FeePolicy(Backoff(uptime.retry_delay_s_max, fee_s_max), Backoff(uptime.retry_delay_s_min, fee_s_max)),
        reconcile=own,
        farm_reconcile=farm,
        boot_loop=_of(BootLoopPolicy, settings.boot_loop),
        silence=SilencePolicy(call=wake.call_silent),
        power_off_allowed=power.enabled,
        reboot_allowed=power.reboot_after_aborted_sleep,
        last_waker_guard=power.last_waker_guard,
        proved_wake_required=power.require_proved_wake,
        sign_of_life_s=power.sign_of_life_s,
        farm_refresh_s=power.farm_refresh_s,
        nodes_at_once=NODES_AT_ONCE if gateway else None,
        events_stale_after_s=settings.events.stale_after_s,
        rtc_alarm_ahead_s=settings.rtc_alarm.ahead_s,
    )


def patience_s(settings: Settings) -> float:
    """Seconds that one step of a loop can take: at least twice the sum of the deadlines in it."""
    chain, shutdown = settings.chain, settings.shutdown
    asked_s = chain.timeout_s * len(chain.urls) + chain.inclusion_timeout_s + settings.host_power.timeout_s
    gateway_s = 3 * settings.zbus.gateway_timeout_s if behind_gateway(settings) else 0.0
    return max(settings.supervision.stuck_after_s, 2 * (asked_s + gateway_s + 2 * shutdown.uptime_deadline_s))


def _of(policy: type[Policy], section: Section, **more: object) -> Policy:
    """The policy, with ``more`` and the settings that have the names of its fields."""
    names = [each.name for each in fields(policy) if hasattr(section, each.name)]  # type: ignore[arg-type]  # a dataclass
    settings: dict[str, Any] = {name: getattr(section, name) for name in names}
    return policy(**settings | more)


def _retry(section: Any) -> Backoff:
    return Backoff(section.retry_delay_s_min, section.retry_delay_s_max)
