"""All promises; each is a file named after what it promises."""

from __future__ import annotations

from app.entrypoints.simulator.promises.cost_stays_bounded import CostStaysBounded
from app.entrypoints.simulator.promises.every_event_is_handled import EveryEventIsHandled
from app.entrypoints.simulator.promises.every_wake_ends import EveryWakeEnds
from app.entrypoints.simulator.promises.never_off_against_the_target import NeverOffAgainstTheTarget
from app.entrypoints.simulator.promises.never_off_under_a_hold import NeverOffUnderAHold
from app.entrypoints.simulator.promises.never_off_when_not_enabled import NeverOffWhenNotEnabled
from app.entrypoints.simulator.promises.never_reboots_for_nothing import NeverRebootsForNothing
from app.entrypoints.simulator.promises.no_down_on_a_running_machine import NoDownOnARunningMachine
from app.entrypoints.simulator.promises.no_event_acknowledged_unhandled import NoEventAcknowledgedUnhandled
from app.entrypoints.simulator.promises.no_extrinsic_that_changes_nothing import NoExtrinsicThatChangesNothing
from app.entrypoints.simulator.promises.no_income_is_lost_in_silence import NoIncomeIsLostInSilence
from app.entrypoints.simulator.promises.no_node_sleeps_for_ever import NoNodeSleepsForEver
from app.entrypoints.simulator.promises.no_paid_hour_lost import NoPaidHourLost
from app.entrypoints.simulator.promises.no_uptime_gap import NoUptimeGap
from app.entrypoints.simulator.promises.power_follows_the_target import PowerFollowsTheTarget
from app.entrypoints.simulator.promises.the_daemon_never_fails import TheDaemonNeverFails
from app.entrypoints.simulator.promises.the_last_waker_stays import TheLastWakerStays
from app.entrypoints.simulator.promises.uptime_before_every_power_off import UptimeBeforeEveryPowerOff
from app.entrypoints.simulator.promises.wakes_begin_at_once import WakesBeginAtOnce
from app.entrypoints.simulator.promises.wakes_follow_the_chain import WakesFollowTheChain
from app.entrypoints.simulator.watching.promise import Promise

ALL: tuple[type[Promise], ...] = (
    NeverOffAgainstTheTarget,
    NeverOffUnderAHold,
    NeverOffWhenNotEnabled,
    NeverRebootsForNothing,
    NoDownOnARunningMachine,
    NoExtrinsicThatChangesNothing,
    UptimeBeforeEveryPowerOff,
    NoEventAcknowledgedUnhandled,
    TheLastWakerStays,
    NoNodeSleepsForEver,
    EveryEventIsHandled,
    PowerFollowsTheTarget,
    EveryWakeEnds,
    WakesBeginAtOnce,
    WakesFollowTheChain,
    NoUptimeGap,
    NoIncomeIsLostInSilence,
    NoPaidHourLost,
    CostStaysBounded,
    TheDaemonNeverFails,
)
