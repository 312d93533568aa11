"""One machine: it boots, runs the real daemon's services, powers off, crashes, and is woken by magic packets."""

from __future__ import annotations

import asyncio
import enum
from collections import Counter
from collections.abc import Callable, Collection
from functools import partial

from app.adapters.simulated.chain import SimulatedChain
from app.adapters.simulated.magic_packets import SimulatedNetwork
from app.adapters.simulated.nic import MAGIC
from app.domain.commands import StayUp
from app.domain.events import DomainEvent
from app.domain.measurements import Measurement
from app.domain.model import Hold, Mac, NodeId, NodeIdentity
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.node_services import NodeServices
from app.entrypoints.simulator.plan.plan import NodePlan
from app.entrypoints.simulator.world.conditions import FLAKY, Condition, apply_conditions
from app.entrypoints.simulator.world.fault_history import FaultHistory
from app.entrypoints.simulator.world.hardware import Hardware
from app.entrypoints.simulator.world.surroundings import Surroundings

ENDING_HOLDER = "upgrade"
RESTART_S = 5.0
"""After this the init system starts a daemon again that was killed, or failed."""


class MachinePower(enum.Enum):
    """What the machine itself is doing, whatever the chain says."""

    OFF = "off"
    BOOTING = "booting"
    RUNNING = "running"
    STOPPING = "stopping"
    FROZEN = "frozen"


class Machine(Hardware):
    """A node's hardware, operating system and daemon."""

    def __init__(
        self,
        world: Surroundings,
        plan: NodePlan,
        identity: NodeIdentity,
        mac: Mac,
        chain: SimulatedChain,
        segment: SimulatedNetwork,
    ) -> None:
        super().__init__(
            world,
            plan,
            identity,
            mac,
            chain,
            segment,
            orders=(self._obey, self._reboot),
            bus_is_away=lambda: self.has_condition("bus-away"),
        )
        self.world = world
        self.power = MachinePower.OFF
        self.since_s = 0.0
        """Since when (virtual seconds) ``power`` is what it is."""
        self.fault_history = FaultHistory(world.now_s)
        self.powered_itself_off = plan.asleep
        """Whether it is dark because its daemon wanted so."""
        self.services: NodeServices | None = None
        self.daemon_since_s = 0.0
        """Since when (virtual seconds) its daemon runs; another one after every boot and every crash."""
        self._conditions: Counter[Condition] = Counter()
        self._condition_since_s: dict[Condition, float] = {}
        self._daemon: asyncio.Task[None] | None = None
        self._step: asyncio.TimerHandle | None = None
        self._hold_placed_s = self._hold_expires_at_s = 0.0
        self._chance = world.chance("machine", plan.id)
        self._lives = 0
        self._boots = 0
        self._armed = plan.can_be_woken
        segment.listen(mac, self._heard_packet)

    # -- what others see ---------------------------------------------------------------------------
    @property
    def on(self) -> bool:
        """Whether the operating system runs, and with it the event bus (its daemon may be going down)."""
        return self.power in (MachinePower.RUNNING, MachinePower.STOPPING)

    @property
    def stopping(self) -> bool:
        return self.power is MachinePower.STOPPING

    @property
    def can_wake(self) -> bool:
        """Whether a packet that reached the card of the dark machine would switch it on."""
        return self._armed and self._conditions["no-mains"] == 0 and self._conditions["deaf"] == 0

    @property
    def armed(self) -> bool:
        """Whether the card will listen for magic packets, as of the last power-off."""
        return self._armed

    @property
    def objection(self) -> StayUp | None:
        """What in its daemon keeps it up against its target."""
        return None if self.services is None else self.services.server.own.objection

    def has_condition_for_s(self, condition: Condition) -> float:
        """For how long (virtual seconds) this has been wrong; 0 when it is not."""
        return self.world.now_s() - self._condition_since_s[condition] if self._conditions[condition] > 0 else 0.0

    def has_condition(self, condition: Condition) -> bool:
        """Whether this is wrong with the machine or its surroundings now."""
        return self._conditions[condition] > 0

    # -- what happens to it ------------------------------------------------------------------------
    def place_hold_until(self, expires_at_s: float) -> None:
        """By the machine's own clock (Unix seconds), whatever is done to that."""
        self.holds.place(Hold(ENDING_HOLDER, "an upgrade runs", expires_at_s))
        self._hold_placed_s, self._hold_expires_at_s = self.world.now_s(), expires_at_s

    def held_until_for_s(self) -> float:
        """For how long a hold with an end has been there; 0 when it is over, or there was none."""
        if self._hold_expires_at_s <= self.clock.now():
            return 0.0
        return self.world.now_s() - self._hold_placed_s

    def begin(self) -> None:
        if not self.plan.asleep:
            self._set(MachinePower.BOOTING)
            self._run()

    def set_condition(self, condition: Condition) -> None:
        """The condition holds from now on; several faults can set it."""
        if not self._conditions[condition]:
            self._condition_since_s[condition] = self.world.now_s()
        self._conditions[condition] += 1
        self._apply_conditions()

    def clear_condition(self, condition: Condition) -> None:
        """One fault that set the condition is over."""
        self._conditions[condition] -= 1
        self._apply_conditions()

    def switch_on(self, why: str) -> None:
        """A packet, a button, the clock's alarm, or returning mains power switches the machine on."""
        if self.power is MachinePower.OFF and not self.has_condition("no-mains"):
            self._set(MachinePower.BOOTING, why)
            self._after(self.plan.boot_s, self._run)

    def cut_off(self, why: str) -> None:
        """Dark at once, with everything that ran: a power cut, a long press on the button."""
        if self.on:
            self._leave_card()
        self._kill()
        self._go_dark(why)

    def freeze(self) -> None:
        """The machine still draws power, and does nothing."""
        if self.on:
            self._kill()
            self._set(MachinePower.FROZEN, "crash")

    def kill_daemon(self) -> None:
        """``kill -9``; the init system starts it again."""
        if self.power is MachinePower.RUNNING:
            self._kill()
            self._after(RESTART_S, self._start_daemon)

    def flaky(self) -> bool:
        """Draws whether an answer of the chain gets lost."""
        return self._chance.random() < FLAKY

    def _apply_conditions(self) -> None:
        apply_conditions(self, self.has_condition, self.flaky, stopping=self.stopping)

    # -- inside ------------------------------------------------------------------------------------
    def _set(self, power: MachinePower, why: str = "") -> None:
        self.power, self.since_s = power, self.world.now_s()
        self.world.watch.machine_changed(self, why)

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        if self._step is not None:
            self._step.cancel()
        self._step = self.world.later(seconds, act)

    def _run(self) -> None:
        self._boots += 1
        if self._boots > 1:
            self.facts.boot()
        self.host_power.is_stopping = False
        self.nic.wake_modes.clear()  # drivers forget: after a boot the card is not armed until the daemon arms it
        self.bus.boot()
        self._set(MachinePower.RUNNING)
        self._start_daemon()

    def _start_daemon(self) -> None:
        self._lives += 1
        self.daemon_since_s = self.world.now_s()
        self.connect()
        self.events.on_acknowledge = partial(self.world.watch.acknowledged, self)
        self.chain.on_powers = self._powers_read
        self._apply_conditions()
        jitter = self.world.chance("jitter", self.plan.id, self._lives).random
        ports = self.ports(self.world.settings, self, jitter)
        board = FaultBoard(self.display, self.clock, self, ports.jitter)
        self.services = self.world.build(self.identity, ports, self.world.policies, board)
        self._daemon = self.world.loop.create_task(self._serve(self.services), name=f"node {self.plan.id}")
        self._daemon.add_done_callback(self._ended)

    @staticmethod
    async def _serve(services: NodeServices) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(services.context.faults.run(), name="faults")
            await services.server.start()

    def _powers_read(self, nodes: Collection[NodeId]) -> None:
        """A read is worth watching while an event waits for it."""
        if self.bus.stream.pending:
            self.world.watch.powers_read(self, nodes)

    def record(self, event: DomainEvent) -> None:
        """`Telemetry` of its daemon."""
        self.world.watch.recorded(self, event)

    def measure(self, measurement: Measurement) -> None:
        """Do nothing: promises watch events only."""

    def _ended(self, daemon: asyncio.Task[None]) -> None:
        if daemon is self._daemon and not self.on:
            self.services = None
        if not daemon.cancelled() and (error := daemon.exception()) is not None:
            self.world.watch.daemon_failed(self, error)
            if daemon is self._daemon and self.power is MachinePower.RUNNING:
                self._after(RESTART_S, self._start_daemon)

    def _obey(self) -> None:
        """The init system goes down: it stops the daemon, and some seconds later the machine is dark."""
        if self.power is not MachinePower.RUNNING:
            return
        self._leave_card()
        self.world.watch.powered_off(self)
        self._set(MachinePower.STOPPING)
        self._after(self.plan.shutdown_s, lambda: self._go_dark("powered off"))
        if self._daemon is not None:
            self._daemon.cancel()

    def _reboot(self) -> None:
        """As a power-off, but the machine comes back by itself."""
        if self.power is not MachinePower.RUNNING:
            return
        self.world.watch.rebooted(self)
        self._set(MachinePower.STOPPING, "reboot")
        self._after(self.plan.shutdown_s, self._boot_again)
        if self._daemon is not None:
            self._daemon.cancel()

    def _boot_again(self) -> None:
        self.services = None
        self._set(MachinePower.BOOTING, "reboot")
        self._after(self.plan.boot_s, self._run)

    def _leave_card(self) -> None:
        """What the operating system leaves the card with is what it listens for in the dark."""
        self._armed = MAGIC in self.nic.wake_modes and self.plan.can_be_woken and not self.nic.missing

    def _kill(self) -> None:
        """The daemon ends without cleanup: what it still tries has no effect."""
        daemon, self._daemon = self._daemon, None
        if daemon is None or daemon.done():
            return
        self.set_condition("severed")
        daemon.add_done_callback(lambda _: self.clear_condition("severed"))
        daemon.cancel()

    def _go_dark(self, why: str) -> None:
        if self._step is not None:
            self._step.cancel()
        self.services = None
        self.powered_itself_off = self.power is MachinePower.STOPPING
        self._set(MachinePower.OFF, why)
        if self.rtc.due_at_s is not None:
            due_at_s = self.rtc.due_at_s
            self.world.later(max(0.0, due_at_s - self.world.clock.now()), lambda: self._alarm(due_at_s))

    def _alarm(self, due_at_s: float) -> None:
        if self.rtc.due_at_s == due_at_s:
            self.switch_on("alarm")

    def _heard_packet(self, _: Mac) -> None:
        if self.power is MachinePower.OFF:
            self.world.watch.packet_reached(self)
            if self.can_wake:
                self.switch_on("magic packet")
