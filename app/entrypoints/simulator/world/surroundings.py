"""What a machine needs of its world, and the listeners for what happens to the machine."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol, TypeVar

from app.adapters.simulated.clock import VirtualClock, VirtualLoop
from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.ledger_blocks import Block
from app.domain.events import Delivery, DomainEvent
from app.domain.model import NodeId, NodeIdentity
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.node_services import NodeServices
from app.entrypoints.settings.schema import Settings
from app.entrypoints.simulator.plan.plan import Plan
from app.entrypoints.wiring.node_services import Ports
from app.entrypoints.wiring.policies import Policies

AMachine = TypeVar("AMachine", contravariant=True)

Assembler = Callable[[NodeIdentity, Ports, Policies, FaultBoard], NodeServices]
"""Makes a daemon's services, as `app.entrypoints.wiring.node_services.assemble` does."""


class WorldListener(Protocol[AMachine]):
    """Called at each moment of a run."""

    def machine_changed(self, machine: AMachine, why: str) -> None:
        """It boots, runs, stops, or is dark."""

    def powered_off(self, machine: AMachine) -> None:
        """The host obeys an order to power off."""

    def rebooted(self, machine: AMachine) -> None:
        """The host obeys an order to reboot."""

    def packet_reached(self, machine: AMachine) -> None:
        """A magic packet came to a dark machine's card."""

    def block_made(self, block: Block) -> None:
        """A block is on the chain."""

    def recorded(self, machine: AMachine, event: DomainEvent) -> None:
        """Its daemon recorded it, by telemetry."""

    def acknowledged(self, machine: AMachine, deliveries: Sequence[Delivery]) -> None:
        """Its daemon acknowledged events."""

    def powers_read(self, machine: AMachine, nodes: Collection[NodeId]) -> None:
        """The chain answered its daemon while an event waited on its stream."""

    def daemon_failed(self, machine: AMachine, error: BaseException) -> None:
        """Its daemon ended by an exception."""


class Surroundings(Protocol):
    """Time, chance, the chain, and the settings of every daemon."""

    plan: Plan
    watch: WorldListener[Any]
    build: Assembler
    clock: VirtualClock
    loop: VirtualLoop
    ledger: Ledger
    node_accounts: dict[NodeId, bytes]
    settings: Settings
    policies: Policies

    def now_s(self) -> float:
        """Virtual seconds since the start."""

    def later(self, seconds: float, act: Callable[[], None]) -> asyncio.TimerHandle:
        """Run the action after this much virtual time."""

    def chance(self, *names: object) -> random.Random:
        """A generator of its own for each purpose."""
