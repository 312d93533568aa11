"""Assembles the daemon's services on given ports: for the container once, for the simulator at every boot.

Plain construction, since the simulator does it a hundred thousand times a run. Which adapter stands
behind a port is decided elsewhere (`app.entrypoints.wiring.container`, `app.entrypoints.simulator.world.machine`).
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.backoff import Jitter
from app.domain.measurements import Call
from app.domain.model import NodeIdentity, Power
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.progress import Progress
from app.domain.services.context.reconciler import Reconciler
from app.domain.services.events.event_handler import EventHandler
from app.domain.services.events.event_reader import EventReader
from app.domain.services.node_services import NodeServices
from app.domain.services.own_power.aborted_sleep import AbortedSleep, RebootRules
from app.domain.services.own_power.boot_loop import BootLoopGuard
from app.domain.services.own_power.clock_alarm import ClockAlarm
from app.domain.services.own_power.head_watch import HeadWatch
from app.domain.services.own_power.host_orders import HostOrders
from app.domain.services.own_power.last_duties import LastDuties
from app.domain.services.own_power.last_waker import LastWaker
from app.domain.services.own_power.observer import Observer
from app.domain.services.own_power.open_window import OpenWindow
from app.domain.services.own_power.own_guards import OwnGuards
from app.domain.services.own_power.own_host import OwnHost
from app.domain.services.own_power.own_node import SYNC_SELF, OwnNode
from app.domain.services.own_power.own_state import OwnState
from app.domain.services.own_power.power_management import PowerManagement
from app.domain.services.own_power.said_state import SaidState
from app.domain.services.own_power.shutdown import Shutdown
from app.domain.services.power_server import PowerServer
from app.domain.services.reporting.clock_watch import ClockWatch
from app.domain.services.reporting.fee_pace import FeePace
from app.domain.services.reporting.uptime import Uptime
from app.domain.services.reporting.wallet import Wallet
from app.domain.services.waking.bursts import Bursts
from app.domain.services.waking.farm_directory import FarmDirectory
from app.domain.services.waking.farm_look import SYNC_FARM, FarmLook
from app.domain.services.waking.signs_watch import SignsWatch
from app.domain.services.waking.silent_peers import SilentPeers
from app.domain.services.waking.wake_faults import WakeFaults
from app.domain.services.waking.wake_order import WakeOrder
from app.domain.services.waking.wake_reads import WakeReads
from app.domain.services.waking.wake_service import WakeService
from app.entrypoints.wiring.policies import Policies
from app.ports.boot_memory import BootMemory
from app.ports.chain import Chain
from app.ports.clock import Clock
from app.ports.holds import Holds
from app.ports.host_facts import HostFacts
from app.ports.host_power import HostPower
from app.ports.magic_packets import MagicPackets
from app.ports.nic import NicPort
from app.ports.power_events import PowerEvents
from app.ports.rtc_alarm import RtcAlarm
from app.ports.signs_of_life import SignsOfLife
from app.ports.telemetry import Telemetry
from app.ports.window_memory import WindowMemory


@dataclass(frozen=True, slots=True)
class Ports:
    """The world as one node's daemon meets it.

    Those that may be None switch something off: without ``boot_memory`` boots are counted within the
    process only, without ``rtc_alarm`` no alarm is armed, without ``signs_of_life`` a node counts as awake by what
    the chain calls it.
    """

    chain: Chain
    events: PowerEvents
    nic: NicPort
    magic_packets: MagicPackets
    host_power: HostPower
    host_facts: HostFacts
    holds: Holds
    clock: Clock
    telemetry: Telemetry
    jitter: Jitter
    boot_memory: BootMemory | None = None
    rtc_alarm: RtcAlarm | None = None
    signs_of_life: SignsOfLife | None = None
    window_memory: WindowMemory | None = None


def assemble(
    node: NodeIdentity, ports: Ports, policies: Policies, faults: FaultBoard, progress: Progress | None = None
) -> NodeServices:
    """Everything one node's daemon consists of, once it is known who the node is."""
    progress = progress or Progress(ports.clock)
    context = NodeContext(ports.clock, ports.telemetry, faults, ports.jitter, progress, node)
    wallet = Wallet(faults)
    farm = FarmDirectory(context, ports.chain, refresh_s=policies.farm_refresh_s, nodes_at_once=policies.nodes_at_once)
    order = WakeOrder(node.node, policies.wake.order)
    signs = SignsWatch(ports.signs_of_life, ports.clock, fresh_s=policies.sign_of_life_s)
    uptime = _uptime(context, ports, policies, wallet)

    # -- the farm's other nodes
    wake_faults = WakeFaults(faults, policies.wake.deadline_s)
    bursts = Bursts(context, ports.magic_packets, policies.wake)
    wakes = WakeService(context, WakeReads(context, farm, order), order, bursts, wake_faults, policies.wake)
    silent = SilentPeers(signs, wakes, order, wake_faults, ports.telemetry, policies.silence)
    farm_loop = Reconciler(context, ports.chain, policies.farm_reconcile, SYNC_FARM)

    # -- this node
    alarm = ClockAlarm(context, ports.rtc_alarm, ahead_s=policies.rtc_alarm_ahead_s)
    management = PowerManagement(
        context, ports.chain, ports.nic, ports.host_power, alarm, allowed=policies.power_off_allowed
    )
    boot_loop = BootLoopGuard(context, ports.boot_memory, ports.host_facts, policies.boot_loop, management.other_wakers)
    last_waker = LastWaker(signs, order, farm, guarded=policies.last_waker_guard)
    guards = OwnGuards(management, boot_loop, last_waker, ports.holds)
    observer = Observer(context, ports.chain, wakes, guards, _heads(ports, policies), policies.limits)
    orders = HostOrders(context, ports.host_power, policies.shutdown)
    state = _said_state(context, ports, policies, management, wallet)
    shutdown = Shutdown(
        context,
        observer,
        state,
        OwnHost(context, management, alarm, boot_loop, orders),
        LastDuties(context, uptime, wakes, uptime_s=policies.shutdown.uptime_s),
        policies.shutdown,
    )
    reboot = RebootRules(node.node, policies.limits, policies.reboot_allowed, policies.shutdown.retry_later_s)
    aborted = AbortedSleep(state.window, observer, wakes, orders, faults, reboot)
    own = OwnNode(
        context, observer, state, shutdown, aborted, Reconciler(context, ports.chain, policies.reconcile, SYNC_SELF)
    )

    triggers = (own.loop.trigger, farm_loop.trigger)

    def resumed() -> None:
        for trigger in triggers:
            trigger.pull("events reconnected")

    handler = EventHandler(
        context, ports.events, farm, wakes, own.loop.trigger, stale_after_s=policies.events_stale_after_s
    )
    server = PowerServer(
        EventReader(context, ports.events, handler.inbox, resumed),
        handler,
        own,
        FarmLook(context, farm, wakes, silent, farm_loop),
        uptime,
        wakes,
    )
    return NodeServices(context, management, farm, uptime, wakes, observer, shutdown, *triggers, server)


def _uptime(context: NodeContext, ports: Ports, policies: Policies, wallet: Wallet) -> Uptime:
    blocks_come = policies.limits.best_head_age_s_max > 0
    clock_watch = ClockWatch(ports.chain, ports.clock, context.faults, blocks_come=blocks_come)
    pace = FeePace(context, wallet, policies.fees, Call.REPORT_UPTIME)
    return Uptime(context, ports.chain, ports.host_facts, clock_watch, pace, policies.uptime)


def _heads(ports: Ports, policies: Policies) -> HeadWatch:
    return HeadWatch(
        ports.chain,
        ports.clock,
        age_s_max=policies.limits.best_head_age_s_max,
        pause_s=policies.reconcile.follow_up_s,
    )


def _said_state(
    context: NodeContext, ports: Ports, policies: Policies, management: PowerManagement, wallet: Wallet
) -> SaidState:
    paces = {power: FeePace(context, wallet, policies.fees, Call.SET_POWER_STATE) for power in Power}
    window = OpenWindow(context, ports.window_memory, ports.chain, ports.host_facts)
    state = OwnState(context, ports.chain, management, paces)
    return SaidState(context, ports.chain, state, window, announce_s=policies.shutdown.announce_s)
