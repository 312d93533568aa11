"""Turns settings into the policies of the domain, which knows no settings."""

from __future__ import annotations

from dataclasses import replace

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
from app.domain.values import value
from app.entrypoints.settings.profiles import behind_gateway
from app.entrypoints.settings.schema import Settings
from app.entrypoints.settings.schema_services import Uptime, Wake

NODES_AT_ONCE = 2
"""Calls in flight to a gateway with one worker: it serves one, and one more waits there."""


@value
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
    reboot_after_aborted_sleep: bool
    last_waker_guard: bool
    require_proved_wake: bool
    sign_of_life_s: float
    farm_refresh_s: float
    nodes_at_once: int | None
    events_stale_after_s: float
    rtc_alarm_ahead_s: int


def policies(settings: Settings) -> Policies:
    chain, power, uptime, wake = settings.chain, settings.power_management, settings.uptime, settings.wake
    zbus = settings.zbus
    gateway = behind_gateway(settings)
    follow_up_s = max(power.follow_up_s, zbus.gateway_follow_up_s) if gateway else power.follow_up_s
    own = ReconcilePolicy(power.reconcile_interval_s, power.reconcile_jitter, follow_up_s)
    farm = replace(own, interval_s=max(own.interval_s, zbus.gateway_farm_interval_s)) if gateway else own
    report_s_max = 3 * zbus.gateway_timeout_s if gateway else 3 * chain.timeout_s + chain.inclusion_timeout_s
    fee_s_max = max(uptime.interval_s, uptime.retry_delay_s_max)
    return power.build(
        Policies,
        limits=chain.build(PowerLimits, defer_power_off_s=wake.defer_power_off_s),
        wake=wake.build(WakePolicy, retry=_retry(wake), order=wake.build(WakeOrderPolicy)),
        shutdown=settings.shutdown.build(ShutdownPolicy, follow_up_s=follow_up_s),
        uptime=uptime.build(
            UptimePolicy,
            retry=_retry(uptime),
            report_s_max=report_s_max + 2 * NEXT_BLOCK_S_MAX,
            silence_s=max(GAP_S_MAX, uptime.interval_s + uptime.retry_delay_s_max),
        ),
        # Calls that cost a fee are retried with growing pauses, up to the interval of the reports.
        fees=FeePolicy(Backoff(uptime.retry_delay_s_max, fee_s_max), Backoff(uptime.retry_delay_s_min, fee_s_max)),
        reconcile=own,
        farm_reconcile=farm,
        boot_loop=settings.boot_loop.build(BootLoopPolicy),
        silence=SilencePolicy(call=wake.call_silent),
        power_off_allowed=power.enabled,
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


def _retry(section: Wake | Uptime) -> Backoff:
    return Backoff(section.retry_delay_s_min, section.retry_delay_s_max)
