"""Turns settings into the policies of the domain, which knows no settings."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
from app.entrypoints.settings.profiles import behind_gateway
from app.entrypoints.settings.schema import Settings

NODES_AT_ONCE = 2
"""Behind a gateway of one worker: a second node's call waits there while the first is served, and no more."""


@dataclass(frozen=True, slots=True)
class Policies:
    """All of them, for one node's services."""

    limits: PowerLimits
    wake: WakePolicy
    shutdown: ShutdownPolicy
    uptime: UptimePolicy
    fees: FeePolicy
    reconcile: ReconcilePolicy
    farm_reconcile: ReconcilePolicy
    power_off_allowed: bool
    reboot_allowed: bool
    farm_refresh_s: float
    nodes_at_once: int | None
    events_stale_after_s: float
    boot_loop: BootLoopPolicy
    rtc_alarm_ahead_s: int
    sign_of_life_s: float
    last_waker_guard: bool
    silence: SilencePolicy


def policies(settings: Settings) -> Policies:
    """What the settings say, for the services."""
    return Policies(
        limits=power_limits(settings),
        wake=wake_policy(settings),
        shutdown=shutdown_policy(settings),
        uptime=uptime_policy(settings),
        fees=fee_policy(settings),
        reconcile=reconcile_policy(settings),
        farm_reconcile=farm_reconcile_policy(settings),
        power_off_allowed=settings.power_management.enabled,
        reboot_allowed=settings.power_management.reboot_after_aborted_sleep,
        farm_refresh_s=settings.power_management.farm_refresh_s,
        nodes_at_once=NODES_AT_ONCE if behind_gateway(settings) else None,
        events_stale_after_s=settings.events.stale_after_s,
        boot_loop=boot_loop_policy(settings),
        rtc_alarm_ahead_s=settings.rtc_alarm.ahead_s,
        sign_of_life_s=settings.power_management.sign_of_life_s,
        last_waker_guard=settings.power_management.last_waker_guard,
        silence=SilencePolicy(call=settings.wake.call_silent),
    )


def patience_s(settings: Settings) -> float:
    """How long one step of a loop may take: never less than twice the deadlines of all that it may ask."""
    chain, shutdown = settings.chain, settings.shutdown
    asked_s = chain.timeout_s * len(chain.urls) + chain.inclusion_timeout_s + settings.host_power.timeout_s
    gateway_s = 3 * settings.zbus.gateway_timeout_s if behind_gateway(settings) else 0.0
    return max(settings.supervision.stuck_after_s, 2 * (asked_s + gateway_s + 2 * shutdown.uptime_deadline_s))


def power_limits(settings: Settings) -> PowerLimits:
    """How much doubt keeps the node up."""
    return PowerLimits(
        best_head_age_s_max=settings.chain.best_head_age_s_max,
        finalized_head_age_s_max=settings.chain.finalized_head_age_s_max,
        defer_power_off_s_max=settings.wake.defer_power_off_s,
    )


def boot_loop_policy(settings: Settings) -> BootLoopPolicy:
    """When boots are a loop, and how long it keeps a node up."""
    boot_loop = settings.boot_loop
    return BootLoopPolicy(
        free_boots=boot_loop.free_boots,
        stay_s_min=boot_loop.stay_s_min,
        stay_s_max=boot_loop.stay_s_max,
        long_sleep_s=boot_loop.long_sleep_s,
    )


def reconcile_policy(settings: Settings) -> ReconcilePolicy:
    """How often the node looks at the chain for itself."""
    power = settings.power_management
    return ReconcilePolicy(
        interval_s=power.reconcile_interval_s,
        jitter=power.reconcile_jitter,
        follow_up_s=_follow_up_s(settings),
    )


def farm_reconcile_policy(settings: Settings) -> ReconcilePolicy:
    """How often the node looks at the whole farm; its sleepers are looked at by the wakes, more often."""
    own = reconcile_policy(settings)
    if not behind_gateway(settings):
        return own
    return replace(own, interval_s=max(own.interval_s, settings.zbus.gateway_farm_interval_s))


def _follow_up_s(settings: Settings) -> float:
    follow_up_s = settings.power_management.follow_up_s
    return max(follow_up_s, settings.zbus.gateway_follow_up_s) if behind_gateway(settings) else follow_up_s


def shutdown_policy(settings: Settings) -> ShutdownPolicy:
    """Deadlines of the shutdown sequence."""
    shutdown = settings.shutdown
    return ShutdownPolicy(
        final_s=shutdown.final_deadline_s,
        settled_s=shutdown.settled_s,
        poll_s=_follow_up_s(settings),
        uptime_s=shutdown.uptime_deadline_s,
        alive_s=shutdown.power_off_deadline_s,
        order_retry_s=min(5.0, shutdown.power_off_deadline_s),
        retry_later_s=shutdown.retry_later_s,
    )


def uptime_policy(settings: Settings) -> UptimePolicy:
    """Pace of the uptime reports."""
    uptime, chain = settings.uptime, settings.chain
    behind = behind_gateway(settings)
    report_s_max = 3 * settings.zbus.gateway_timeout_s if behind else chain.timeout_s * 3 + chain.inclusion_timeout_s
    return UptimePolicy(
        interval_s=uptime.interval_s,
        retry=Backoff(uptime.retry_delay_s_min, uptime.retry_delay_s_max),
        unhealthy_retry_s=uptime.unhealthy_retry_s,
        report_s_max=report_s_max + 2 * NEXT_BLOCK_S_MAX,
        silence_s=max(GAP_S_MAX, uptime.interval_s + uptime.retry_delay_s_max),
        first_wait_s=uptime.first_report_wait_s,
    )


def fee_policy(settings: Settings) -> FeePolicy:
    """What costs a fee is tried again ever more slowly, up to the interval of the reports."""
    uptime = settings.uptime
    most_s = max(uptime.interval_s, uptime.retry_delay_s_max)
    return FeePolicy(
        failed=Backoff(uptime.retry_delay_s_max, most_s), uncertain=Backoff(uptime.retry_delay_s_min, most_s)
    )


def wake_policy(settings: Settings) -> WakePolicy:
    wake = settings.wake
    return WakePolicy(
        packets=wake.packets,
        packet_interval_s=wake.packet_interval_s,
        retry=Backoff(wake.retry_delay_s_min, wake.retry_delay_s_max),
        deadline_s=wake.deadline_s,
        order=WakeOrderPolicy(wake.first_wakers, wake.stagger_s),
    )
