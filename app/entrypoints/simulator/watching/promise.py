"""What a promise is to the simulator: it watches, and says when it was broken.

Each promise is a file of its own in `app.entrypoints.simulator.promises`, named after what it promises.
A promise overrides the moments that it wants to see, and is called at those alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import ClassVar

from app.adapters.simulated.ledger_blocks import Block
from app.domain.events import Delivery, WakeBurstStarted, WakeEnded
from app.domain.model import NodeId
from app.entrypoints.simulator.income.minted import Lost
from app.entrypoints.simulator.watching.violation import Violation
from app.entrypoints.simulator.world.machine import Machine
from app.entrypoints.simulator.world.world import World

KEPT_MAX = 20
"""Violations kept word by word, per promise; all are counted."""


class Promise:
    """Base of all promises: gets every moment, and reports no violation."""

    text: ClassVar[str] = ""

    def __init__(self, world: World) -> None:
        self.world = world
        self.violations: list[Violation] = []
        self.broken_times = 0
        self.report: Callable[[Violation], object] = _ignore
        """Called with each violation that is kept."""

    @property
    def name(self) -> str:
        """The file's name: ``never_off_against_the_target``."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def applies(self) -> bool:
        """Whether this run can break it at all: some are about what an operator may opt in to."""
        return True

    def broken(self, machine: Machine | None, detail: str) -> None:
        """It was not kept, now."""
        self.broken_times += 1
        if len(self.violations) < KEPT_MAX:
            node = 0 if machine is None else machine.identity.node
            violation = Violation(promise=self.name, at_s=self.world.now_s(), node=node, detail=detail)
            self.violations.append(violation)
            self.report(violation)

    # -- moments -----------------------------------------------------------------------------------
    def powered_off(self, machine: Machine) -> None:
        """The host obeys an order to power off, at this moment."""

    def rebooted(self, machine: Machine) -> None:
        """The host obeys an order to reboot, at this moment."""

    def machine_changed(self, machine: Machine) -> None:
        """It boots, runs, stops, or is dark."""

    def block_made(self, block: Block) -> None:
        """A block is on the chain."""

    def burst_started(self, machine: Machine, event: WakeBurstStarted) -> None:
        """Its daemon sent the first packet of a burst."""

    def wake_ended(self, machine: Machine, event: WakeEnded) -> None:
        """Its daemon ended a wake."""

    def acknowledged(self, machine: Machine, deliveries: Sequence[Delivery]) -> None:
        """Its daemon acknowledges."""

    def powers_read(self, machine: Machine, nodes: Collection[NodeId]) -> None:
        """The chain answered its daemon about these nodes while an event waited on its stream."""

    def daemon_failed(self, machine: Machine, error: BaseException) -> None:
        """Its daemon ended by an exception."""

    def lost(self, machine: Machine, lost: Lost) -> None:
        """The grid's minting did not credit some of its time."""

    def minute(self, running: Mapping[NodeId, Machine]) -> None:
        """A minute has passed, and these machines run."""

    def ended(self) -> None:
        """The run is over; the last faults were over ``plan.calm_s`` ago."""


def _ignore(_: Violation) -> None:
    """The violation is kept by the promise itself."""


class UptimeReports(Promise):
    """Collects reports, for a promise that needs them."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.reported_s: dict[NodeId, float] = {}

    def block_made(self, block: Block) -> None:
        for event in block.events:
            if event.name == "NodeUptimeReported":
                self.reported_s[NodeId(event.attributes[0])] = self.world.now_s()
