"""Assembles the daemon's services on given ports: for the container once, for the simulator at every boot.

Plain construction, since the simulator does it a hundred thousand times a run. Which adapter stands
behind a port is decided elsewhere (`app.entrypoints.container`, `app.entrypoints.simulate.machine`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.backoff import Backoff, Jitter
from app.domain.model import NodeIdentity, Power
from app.domain.services.aborted_sleep import AbortedSleep, RebootRules
from app.domain.services.boot_brake import BootBrake
from app.domain.services.bursts import Bursts
from app.domain.services.clock_alarm import ClockAlarm
from app.domain.services.clock_watch import ClockWatch
from app.domain.services.event_handler import EventHandler
from app.domain.services.event_inbox import EventInbox
from app.domain.services.event_reader import EventReader
from app.domain.services.farm_directory import FarmDirectory
from app.domain.services.farm_look import FarmLook
from app.domain.services.fault_board import FaultBoard
from app.domain.services.fee_pace import FeePace
from app.domain.services.head_watch import HeadWatch
from app.domain.services.host_orders import HostOrders
from app.domain.services.last_waker import LastWaker
from app.domain.services.observer import Observer
from app.domain.services.open_window import OpenWindow
from app.domain.services.own_address import OwnAddress
from app.domain.services.own_state import OwnState
from app.domain.services.persistent_trouble import PersistentTrouble
from app.domain.services.power_management import PowerManagement
from app.domain.services.power_server import PowerServer
from app.domain.services.reconciler import Reconciler
from app.domain.services.retrying import Retrying
from app.domain.services.shutdown import Shutdown
from app.domain.services.signs_watch import SignsWatch
from app.domain.services.silent_peers import SilentPeers
from app.domain.services.stream_sharing import StreamSharing
from app.domain.services.trigger import Trigger
from app.domain.services.turns import Turns
from app.domain.services.uptime import Uptime
from app.domain.services.wake import WakeService
from app.domain.services.wake_faults import WakeFaults
from app.domain.services.wake_reads import WakeReads
from app.domain.services.wallet import Wallet
from app.entrypoints.policies import Policies
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

READ_AGAIN = Backoff(0.2, 30.0)
EVENTS_PATIENCE_S = 60.0
EVENTS_REMEDY = (
    "until then this node looks at the chain every few minutes, and is slow to obey and to wake others; docs/redis.md "
    "says what Redis has to allow"
)
LOOKS_PATIENCE_S = 180.0
"""Several looks: the longest pause between two that fail is 75 s."""
OWN_REMEDY = (
    "until then it stays as it is, whatever its target; if the chain can't be read, see that one of chain.urls (with "
    "profile zos: api-gateway) answers"
)
FARM_REMEDY = (
    "until then it wakes only nodes of which an event comes; see that one of chain.urls (with profile zos: "
    "api-gateway) answers"
)


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


@dataclass(frozen=True, slots=True)
class NodeServices:
    """The daemon's services, wired; `PowerServer.start` runs them all but the fault board."""

    faults: FaultBoard
    management: PowerManagement
    farm: FarmDirectory
    own_state: OwnState
    uptime: Uptime
    wakes: WakeService
    observer: Observer
    window: OpenWindow
    shutdown: Shutdown
    own_trigger: Trigger
    farm_trigger: Trigger
    server: PowerServer


def assemble(node: NodeIdentity, ports: Ports, policies: Policies, faults: FaultBoard) -> NodeServices:
    """Everything one node's daemon consists of, once it is known who the node is."""
    chain, clock, telemetry, jitter = ports.chain, ports.clock, ports.telemetry, ports.jitter
    own_trigger, farm_trigger = Trigger(clock), Trigger(clock)
    inbox = EventInbox()
    alarm = ClockAlarm(ports.rtc_alarm, clock, faults, telemetry, ahead_s=policies.rtc_alarm_ahead_s)
    address = OwnAddress(chain, node.node, clock, telemetry)
    management = PowerManagement(
        chain, ports.nic, address, ports.host_power, alarm, faults, allowed=policies.power_off_allowed
    )
    farm = FarmDirectory(
        chain,
        clock,
        node.farm,
        node.node,
        faults,
        refresh_s=policies.farm_refresh_s,
        all_records=policies.all_records,
    )
    wallet = Wallet(faults)
    paces = {power: FeePace(clock, jitter, policies.fees) for power in Power}
    own_state = OwnState(chain, node.node, management, telemetry, wallet, paces)
    uptime = Uptime(
        chain,
        ports.host_facts,
        clock,
        ClockWatch(chain, clock, faults, blocks_come=policies.limits.best_head_age_s_max > 0),
        wallet,
        FeePace(clock, jitter, policies.fees),
        faults,
        telemetry,
        policies.uptime,
        jitter,
    )
    bursts = Bursts(ports.magic_packets, clock, faults, telemetry, policies.wake)
    wake_faults = WakeFaults(faults, policies.wake.deadline_s)
    turns = Turns(node.node, policies.wake.turns)
    reads = WakeReads(chain, farm, turns, clock, telemetry, nodes_at_once=policies.nodes_at_once)
    wakes = WakeService(reads, turns, bursts, clock, wake_faults, telemetry, policies.wake, jitter)
    brake = BootBrake(ports.boot_memory, ports.host_facts, clock, faults, policies.brake, management.other_wakers)
    watch = SignsWatch(ports.signs_of_life, clock, fresh_s=policies.sign_of_life_s)
    silent = SilentPeers(watch, wakes, turns, wake_faults, telemetry, policies.silence)
    last_waker = LastWaker(watch, turns, chain, farm, guarded=policies.last_waker_guard)
    heads = HeadWatch(
        chain, clock, age_s_max=policies.limits.best_head_age_s_max, pause_s=policies.reconcile.follow_up_s
    )
    observer = Observer(chain, node.node, ports.holds, management, wakes, brake, last_waker, heads, clock)
    orders = HostOrders(ports.host_power, clock, faults, telemetry, policies.shutdown)
    window = OpenWindow(ports.window_memory, chain, node.node, ports.host_facts, clock, faults, telemetry)
    reboot_rules = RebootRules(node.node, policies.limits, policies.reboot_allowed, policies.shutdown.retry_later_s)
    shutdown = Shutdown(
        chain,
        observer,
        own_state,
        management,
        uptime,
        wakes,
        orders,
        window,
        brake,
        alarm,
        clock,
        faults,
        telemetry,
        policies.limits,
        policies.shutdown,
    )
    handler = EventHandler(
        ports.events,
        inbox,
        chain,
        farm,
        wakes,
        node.node,
        node.farm,
        own_trigger,
        clock,
        telemetry,
        jitter,
        stale_after_s=policies.events_stale_after_s,
        nodes_at_once=policies.nodes_at_once,
    )
    own_trouble = PersistentTrouble("own-power", OWN_REMEDY, faults, clock, patience_s=LOOKS_PATIENCE_S)
    farm_trouble = PersistentTrouble("farm-power", FARM_REMEDY, faults, clock, patience_s=LOOKS_PATIENCE_S)
    server = PowerServer(
        _event_reader(node, ports, inbox, faults, [own_trigger, farm_trigger]),
        handler,
        FarmLook(chain, farm, wakes, silent, clock, nodes_at_once=policies.nodes_at_once),
        observer,
        own_state,
        management,
        uptime,
        wakes,
        shutdown,
        window,
        AbortedSleep(window, observer, wakes, orders, faults, reboot_rules),
        alarm,
        Reconciler(chain, clock, telemetry, policies.reconcile, jitter, own_trouble),
        Reconciler(chain, clock, telemetry, policies.farm_reconcile, jitter, farm_trouble),
        own_trigger,
        farm_trigger,
        clock,
        telemetry,
        policies.limits,
        first_report_wait_s=policies.first_report_wait_s,
    )
    return NodeServices(
        faults,
        management,
        farm,
        own_state,
        uptime,
        wakes,
        observer,
        window,
        shutdown,
        own_trigger,
        farm_trigger,
        server,
    )


def _event_reader(
    node: NodeIdentity, ports: Ports, inbox: EventInbox, faults: FaultBoard, triggers: Sequence[Trigger]
) -> EventReader:
    trouble = PersistentTrouble("events", EVENTS_REMEDY, faults, ports.clock, patience_s=EVENTS_PATIENCE_S)
    retrying = Retrying("reading events", READ_AGAIN, trouble, ports.clock, ports.telemetry, ports.jitter)

    def resumed() -> None:
        for trigger in triggers:
            trigger.pull("events reconnected")

    sharing = StreamSharing(ports.events, node, faults, ports.clock, ports.telemetry)
    return EventReader(ports.events, inbox, retrying, sharing, resumed)
