"""What a simulated machine consists of: an adapter for everything that its daemon meets."""

from __future__ import annotations

from collections.abc import Callable, Collection

from app.adapters.simulated.chain import SimulatedChain
from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.fault_display import SimulatedFaultDisplay
from app.adapters.simulated.holds import SimulatedHolds
from app.adapters.simulated.host_facts import SimulatedHostFacts
from app.adapters.simulated.host_power import SimulatedHostPower
from app.adapters.simulated.magic_packets import SimulatedMagicPackets, SimulatedNetwork
from app.adapters.simulated.memory import SimulatedMemory
from app.adapters.simulated.nic import SimulatedNic
from app.adapters.simulated.power_events import SimulatedPowerEvents
from app.adapters.simulated.rtc_alarm import SimulatedRtcAlarm
from app.adapters.simulated.signs_of_life import SimulatedSignsOfLife
from app.domain.backoff import Jitter
from app.domain.model import Mac, NodeId, NodeIdentity
from app.domain.rules.boot_loop import BootRecord
from app.domain.rules.paid import DownWindow
from app.domain.rules.proved_wake import Trial, WakeRecord
from app.entrypoints.settings.profiles import signs_of_life_kind
from app.entrypoints.settings.schema import Settings
from app.entrypoints.simulator.plan.plan import NodePlan
from app.entrypoints.simulator.world.bus import Bus
from app.entrypoints.simulator.world.surroundings import Surroundings
from app.entrypoints.wiring.node_services import Ports
from app.ports.telemetry import Telemetry

BUS_POLL_S = 3600.0
"""The simulated bus delivers an event at once, so the length of an empty read does not matter."""

TRIAL_UNTIL_S = 2 * 3600.0
"""Where a wake must be proved, each machine may sleep once in these first seconds (``powerd check --trial``)."""


class Hardware:
    """Of one node; what runs on it, and when, is `app.entrypoints.simulator.world.machine`."""

    def __init__(
        self,
        world: Surroundings,
        plan: NodePlan,
        identity: NodeIdentity,
        mac: Mac,
        chain: SimulatedChain,
        segment: SimulatedNetwork,
        *,
        orders: tuple[Callable[[], None], Callable[[], None]],
        bus_is_away: Callable[[], bool],
    ) -> None:
        """``orders``: what a power-off and what a reboot does."""
        self.plan = plan
        self.identity = identity
        self.mac = mac
        self.farm: Collection[NodeId] = world.node_accounts
        """All nodes of the farm, once the world is made."""
        self.chain = chain
        self.chain_latency_s = world.plan.chain.latency_s
        self.segment = segment
        self.clock = VirtualClock(world.clock.now() - world.clock.monotonic())
        self.nic = SimulatedNic(mac)
        self.nic.unsupported = not plan.can_be_woken
        self.host_power = SimulatedHostPower(self.clock, *orders)
        self.facts = SimulatedHostFacts(self.clock, f"node-{plan.id}")
        self.holds = SimulatedHolds(self.clock)
        self.boot_memory = SimulatedMemory[BootRecord]()
        self.window_memory = SimulatedMemory[DownWindow]()
        self.wake_memory = SimulatedMemory[WakeRecord]()
        self.trial_memory = SimulatedMemory(Trial(self.facts.boot_id(), TRIAL_UNTIL_S))
        self.disk = (self.boot_memory, self.window_memory, self.wake_memory, self.trial_memory)
        self.rtc = SimulatedRtcAlarm(world.clock)  # a clock of its own: the system's may be wrong
        self.signs_of_life = SimulatedSignsOfLife(world.ledger, world.node_accounts)
        self.bus = Bus(self.clock, world.later, bus_is_away, world.chance("bus", plan.id))
        self.connect()

    def connect(self) -> None:
        """What a daemon that starts opens for itself: another one's connections end with it."""
        self.events = SimulatedPowerEvents(self.bus.stream, self.clock, block_s=BUS_POLL_S)
        self.packets = SimulatedMagicPackets(self.segment)
        self.display = SimulatedFaultDisplay()

    def ports(self, settings: Settings, telemetry: Telemetry, jitter: Jitter) -> Ports:
        """All of it, as a daemon with these settings gets it."""
        proved = settings.power_management.require_proved_wake
        return Ports(
            self.chain,
            self.events,
            self.nic,
            self.packets,
            self.host_power,
            self.facts,
            self.holds,
            self.clock,
            telemetry,
            jitter,
            self.boot_memory,
            self.rtc if settings.rtc_alarm.enabled else None,
            None if signs_of_life_kind(settings) == "off" else self.signs_of_life,
            self.window_memory,
            self.wake_memory if proved else None,
            self.trial_memory if proved else None,
        )
