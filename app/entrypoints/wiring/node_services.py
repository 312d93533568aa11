"""Builds the daemon's services on given ports: once for the container, and at every boot for the simulator.

Plain construction, since the simulator does it a hundred thousand times a run. Which adapter stands
behind a port is decided elsewhere (`app.entrypoints.wiring.container`, `app.entrypoints.simulator.world.machine`).
"""

from __future__ import annotations

from app.domain.backoff import Jitter
from app.domain.measurements import Call
from app.domain.model import NodeIdentity, Power
from app.domain.rules.boot_loop import BootRecord
from app.domain.rules.paid import DownWindow
from app.domain.rules.proved_wake import Trial, WakeRecord
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
from app.domain.services.own_power.observer import Observer, OwnGuards
from app.domain.services.own_power.open_window import OpenWindow
from app.domain.services.own_power.own_node import SYNC_SELF, OwnNode
from app.domain.services.own_power.own_state import OwnState
from app.domain.services.own_power.power_management import PowerManagement
from app.domain.services.own_power.shutdown import Shutdown
from app.domain.services.own_power.wake_proof import WakeProof
from app.domain.services.power_server import PowerServer
from app.domain.services.reporting.clock_watch import ClockWatch
from app.domain.services.reporting.fee_pace import FeePace
from app.domain.services.reporting.uptime import Uptime
from app.domain.services.waking.farm_directory import FarmDirectory
from app.domain.services.waking.farm_look import SYNC_FARM, FarmLook
from app.domain.services.waking.signs_watch import SignsWatch
from app.domain.services.waking.silent_peers import SilentPeers
from app.domain.services.waking.wake_order import WakeOrder
from app.domain.services.waking.wake_service import WakeService
from app.domain.values import value
from app.entrypoints.wiring.policies import Policies
from app.ports.chain import Chain
from app.ports.clock import Clock
from app.ports.holds import Holds
from app.ports.host_facts import HostFacts
from app.ports.host_power import HostPower
from app.ports.magic_packets import MagicPackets
from app.ports.memory import Memory
from app.ports.nic import NicPort
from app.ports.power_events import PowerEvents
from app.ports.rtc_alarm import RtcAlarm
from app.ports.signs_of_life import SignsOfLife
from app.ports.telemetry import Telemetry


@value
class Ports:
    """The ports of one node's daemon.

    None switches a part off: without ``boot_memory`` boots are counted within the
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
    boot_memory: Memory[BootRecord] | None = None
    rtc_alarm: RtcAlarm | None = None
    signs_of_life: SignsOfLife | None = None
    window_memory: Memory[DownWindow] | None = None
    wake_memory: Memory[WakeRecord] | None = None
    trial_memory: Memory[Trial] | None = None


def assemble(
    node: NodeIdentity, ports: Ports, policies: Policies, faults: FaultBoard, progress: Progress | None = None
) -> NodeServices:
    """Build all services of one node's daemon, once it is known which node this is."""
    progress = progress or Progress(ports.clock)
    context = NodeContext(ports.clock, ports.telemetry, faults, ports.jitter, progress, node)
    limits, down = policies.limits, policies.shutdown

    # -- what is reported
    clock_watch = ClockWatch(ports.chain, ports.clock, faults, blocks_come=limits.best_head_age_s_max > 0)
    reports_pace = FeePace(context, policies.fees, Call.REPORT_UPTIME)
    uptime = Uptime(context, ports.chain, ports.host_facts, clock_watch, reports_pace, policies.uptime)

    # -- the farm's other nodes
    farm = FarmDirectory(context, ports.chain, refresh_s=policies.farm_refresh_s, nodes_at_once=policies.nodes_at_once)
    order = WakeOrder(node.node, policies.wake.order)
    signs = SignsWatch(ports.signs_of_life, ports.clock, fresh_s=policies.sign_of_life_s)
    wakes = WakeService(context, farm, order, ports.magic_packets, policies.wake)
    silent = SilentPeers(context, signs, wakes, order, policies.silence)
    farm_loop = Reconciler(context, ports.chain, policies.farm_reconcile, SYNC_FARM)

    # -- whether this node may power off
    alarm = ClockAlarm(context, ports.rtc_alarm, ahead_s=policies.rtc_alarm_ahead_s)
    allowed = policies.power_off_allowed
    management = PowerManagement(context, ports.chain, ports.nic, ports.host_power, alarm, allowed=allowed)
    boot_loop = BootLoopGuard(context, ports.boot_memory, ports.host_facts, policies.boot_loop, management.other_wakers)
    last_waker = LastWaker(signs, order, farm, guarded=policies.last_waker_guard)
    memories, needed = (ports.wake_memory, ports.trial_memory), policies.require_proved_wake
    proof = WakeProof(context, *memories, ports.chain, ports.host_facts, alarm, required=needed)
    guards = OwnGuards(management, boot_loop, last_waker, ports.holds, proof)
    heads = HeadWatch(ports.chain, ports.clock, age_s_max=limits.best_head_age_s_max, pause_s=down.follow_up_s)
    observer = Observer(context, ports.chain, wakes, guards, heads, limits)

    # -- how it powers off
    orders = HostOrders(context, ports.host_power, down)
    window = OpenWindow(context, ports.window_memory, ports.chain, ports.host_facts)
    paces = {power: FeePace(context, policies.fees, Call.SET_POWER_STATE) for power in Power}
    state = OwnState(context, ports.chain, management, window, paces, announce_s=down.announce_s)
    duties = LastDuties(context, uptime, wakes.bursts, uptime_s=down.uptime_deadline_s)
    shutdown = Shutdown(context, observer, state, orders, duties, down)
    reboot = RebootRules(node.node, limits, policies.reboot_after_aborted_sleep, down.retry_later_s)
    aborted = AbortedSleep(context, window, observer, wakes.bursts, orders, reboot)
    own_loop = Reconciler(context, ports.chain, policies.reconcile, SYNC_SELF)
    own = OwnNode(context, observer, state, shutdown, aborted, own_loop)

    # -- what begins a look
    triggers = (own_loop.trigger, farm_loop.trigger)
    stale_after_s = policies.events_stale_after_s
    handler = EventHandler(context, ports.events, farm, wakes, own_loop.trigger, stale_after_s=stale_after_s)
    reader = EventReader(context, ports.events, handler.inbox, triggers)
    look = FarmLook(context, farm, wakes, silent, farm_loop)
    server = PowerServer(reader, handler, own, look, uptime, wakes)
    return NodeServices(context, management, farm, uptime, wakes, observer, shutdown, proof, *triggers, server)
