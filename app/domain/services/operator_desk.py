"""Serves people and other programs: what the node believes and does, and a few wishes (`Operator`)."""

from __future__ import annotations

import asyncio

from app.domain.errors import ChainUnavailable, IdentityUnavailable, NodeNotKnown, NotWantedUp
from app.domain.events import UptimeReported, UptimeSkipped
from app.domain.model import HeadKind, NodeId, NodeIdentity, NodePower
from app.domain.paid_rules import DownWindow
from app.domain.power_rules import wants_down
from app.domain.services.farm_directory import FarmDirectory
from app.domain.services.fault_board import FaultBoard
from app.domain.services.identification import Identification
from app.domain.services.observer import Observer
from app.domain.services.open_window import OpenWindow
from app.domain.services.power_management import PowerManagement
from app.domain.services.power_server import PowerServer
from app.domain.services.shutdown import Shutdown
from app.domain.services.trigger import Trigger
from app.domain.services.uptime import Uptime
from app.domain.services.wake import WakeService
from app.domain.status import NodeStatus, UncreditedStatus, WakeStatus
from app.ports.chain import ChainReader
from app.ports.clock import Clock
from app.ports.host_facts import HostFacts


class ClosedDesk:
    """`Operator` before it is known who this node is."""

    def __init__(self, identification: Identification, faults: FaultBoard, version: str) -> None:
        self._identification = identification
        self._faults = faults
        self._version = version

    def status(self) -> NodeStatus:
        """Whom it waits for."""
        return NodeStatus(self._version, waiting_for=self._waiting_for, faults=self._faults.faults)

    async def reconcile(self) -> None:
        """Not yet."""
        raise IdentityUnavailable(self._waiting_for)

    async def report_uptime(self) -> UptimeReported | UptimeSkipped:
        """Not yet."""
        raise IdentityUnavailable(self._waiting_for)

    async def wake(self, node: NodeId) -> None:
        """Not yet."""
        raise IdentityUnavailable(f"node {node} can't be woken yet: {self._waiting_for}")

    @property
    def _waiting_for(self) -> str:
        return self._identification.waiting_for or "asking who this node is"


class OperatorDesk:
    """`Operator` of the running daemon."""

    def __init__(
        self,
        identity: NodeIdentity,
        server: PowerServer,
        chain: ChainReader,
        farm: FarmDirectory,
        observer: Observer,
        management: PowerManagement,
        uptime: Uptime,
        wakes: WakeService,
        shutdown: Shutdown,
        window: OpenWindow,
        faults: FaultBoard,
        facts: HostFacts,
        own_trigger: Trigger,
        farm_trigger: Trigger,
        clock: Clock,
        version: str,
    ) -> None:
        self._identity = identity
        self._server = server
        self._chain = chain
        self._farm = farm
        self._observer = observer
        self._management = management
        self._uptime = uptime
        self._wakes = wakes
        self._shutdown = shutdown
        self._window = window
        self._faults = faults
        self._facts = facts
        self._own_trigger = own_trigger
        self._farm_trigger = farm_trigger
        self._clock = clock
        self._version = version
        self._reporting = asyncio.Lock()

    def status(self) -> NodeStatus:
        """All of it from memory: asking costs the chain nothing."""
        seen = self._observer.last
        power = None if seen is None else seen.best.power
        last, now_s = self._uptime.last, self._clock.monotonic()
        return NodeStatus(
            self._version,
            identity=self._identity,
            not_enabled=self._management.objection,
            power=power if isinstance(power, NodePower) else None,
            head=None if seen is None else seen.best.head,
            looked_at_s=None if seen is None else seen.now_s,
            staying_up=self._server.staying_up,
            shutdown_step=self._shutdown.step,
            uncredited=_uncredited(self._window.window),
            holds=() if seen is None else seen.holds,
            last_uptime=None if last is None else last.sample,
            last_uptime_age_s=None if last is None else self._uptime.age_s,
            problems=self._facts.health().problems,
            wakes=tuple(
                WakeStatus(wake.node, wake.reason, wake.bursts, now_s - wake.began_at_s, self._wakes.is_overdue(wake))
                for wake in self._wakes.wakes
            ),
            faults=self._faults.faults,
        )

    async def reconcile(self) -> None:
        """Both loops look again."""
        self._own_trigger.pull("an operator's wish")
        self._farm_trigger.pull("an operator's wish")

    async def report_uptime(self) -> UptimeReported | UptimeSkipped:
        """A caller that asks while another's report is under way gets that report."""
        before = self._uptime.last
        async with self._reporting:
            if self._uptime.last is not before and self._uptime.last is not None:
                return self._uptime.last
            return await self._uptime.send_now()

    async def wake(self, node: NodeId) -> None:
        """A chain that can't be asked holds no wake back, only one that says no."""
        if node not in await self._farm.among([node]):
            raise NodeNotKnown(f"node {node} is no other node of farm {self._identity.farm}")
        try:
            reading = await self._chain.powers([node], HeadKind.BEST)
        except ChainUnavailable:
            reading = None
        if reading is not None and wants_down(reading.powers[node]):
            raise NotWantedUp(f"the target of node {node} is Down; set it to Up first (powerd farm up {node})")
        self._server.power_up(node, "an operator's wish")


def _uncredited(window: DownWindow | None) -> UncreditedStatus | None:
    if window is None:
        return None
    return UncreditedStatus(window.opened_at_s, window.requested_at_s, window.boot_by_s, window.report_by_s)
