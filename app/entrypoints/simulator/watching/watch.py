"""Sees everything that happens in a world, and passes it on: to promises, to the tally, to the trace."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

from app.adapters.simulated.ledger_blocks import Block
from app.domain.events import Delivery, DomainEvent, Reconciled, WakeBurstStarted, WakeEnded
from app.domain.model import NodeId
from app.entrypoints.simulator.income.minted import Lost, Minted
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.watching.tally import Tally
from app.entrypoints.simulator.watching.violation import Violation
from app.entrypoints.simulator.world.machine import Machine, MachinePower
from app.entrypoints.simulator.world.world import World

MOMENTS = (
    "powered_off",
    "rebooted",
    "machine_changed",
    "block_made",
    "burst_started",
    "wake_ended",
    "acknowledged",
    "powers_read",
    "daemon_failed",
    "lost",
    "minute",
    "ended",
)


class Watch:
    """The one place where moments come together."""

    def __init__(self) -> None:
        self.promises: list[Promise] = []
        self._trace = hashlib.blake2b(digest_size=16)
        self._notes: list[str] = []
        self._at_reads: list[Callable[..., None]] = []
        self._listeners: dict[str, list[Callable[..., None]]] = {moment: [] for moment in MOMENTS}

    def begin(self, world: World, tally: Tally, promises: Sequence[type[Promise]]) -> None:
        """Registers the observers; one that does not override a moment is not called at it."""
        self._world = world
        self._loop = world.loop
        self.tally = tally
        self.minted = Minted(world, self.lost)
        made = [promise(world) for promise in promises]
        for promise in made:
            promise.report = self.violated
        self.promises = [promise for promise in made if promise.applies]
        self.not_checked = [promise.name for promise in made if not promise.applies]
        for moment in MOMENTS:
            base = getattr(Promise, moment)
            self._listeners[moment] = [
                getattr(promise, moment) for promise in self.promises if getattr(type(promise), moment) is not base
            ]

        self._at_reads = self._listeners["powers_read"]

    @property
    def trace_hash(self) -> str:
        """The same for two runs in which the same things happened at the same times."""
        self._hash_notes()
        return self._trace.hexdigest()

    def machine_changed(self, machine: Machine, why: str) -> None:
        self._note(machine.identity.node, f"{machine.power.value} {why}")
        self.tally.machine_changed(machine, why)
        self._notify("machine_changed", machine)

    def powered_off(self, machine: Machine) -> None:
        self._note(machine.identity.node, "obeys")
        self._notify("powered_off", machine)

    def rebooted(self, machine: Machine) -> None:
        self._notify("rebooted", machine)

    def packet_reached(self, machine: Machine) -> None:
        self._note(machine.identity.node, "packet")

    def block_made(self, block: Block) -> None:
        """Most blocks of one farm are empty: then only what became final is judged."""
        self.minted.block_made(block)
        if block.extrinsics:
            for event in block.events:
                self._note(0, f"{block.number} {event.name} {event.attributes}")
            self.tally.block_made(block)
            self._notify("block_made", block)

    def recorded(self, machine: Machine, event: DomainEvent) -> None:
        if isinstance(event, Reconciled):
            # Most records are looks that found nothing new.
            self._note(machine.identity.node, "Reconciled")
            self.tally.looked(machine)
            return
        self._note(machine.identity.node, repr(event))
        self.tally.recorded(event)
        if isinstance(event, WakeBurstStarted):
            self._notify("burst_started", machine, event)
        elif isinstance(event, WakeEnded):
            self._notify("wake_ended", machine, event)

    def acknowledged(self, machine: Machine, deliveries: Sequence[Delivery]) -> None:
        self._notify("acknowledged", machine, deliveries)

    def powers_read(self, machine: Machine, nodes: Collection[NodeId]) -> None:
        for listener in self._at_reads:
            listener(machine, nodes)

    def daemon_failed(self, machine: Machine, error: BaseException) -> None:
        self._note(machine.identity.node, f"failed {error!r}")
        self._notify("daemon_failed", machine, error)

    def lost(self, machine: Machine, lost: Lost) -> None:
        self.tally.lost(machine, lost)
        self._notify("lost", machine, lost)

    def violated(self, violation: Violation) -> None:
        self.tally.violated(violation)

    def minute(self) -> None:
        self._hash_notes()
        machines, running = self._world.machines, MachinePower.RUNNING
        self._notify("minute", {node: machine for node, machine in machines.items() if machine.power is running})

    def ended(self) -> None:
        self.minted.close()
        self._notify("ended")

    def _notify(self, moment: str, *what: Any) -> None:
        for listener in self._listeners[moment]:
            listener(*what)

    def _note(self, node: int, what: str) -> None:
        self._notes.append(f"{self._loop.now_s:.3f} {node} {what}\n")

    def _hash_notes(self) -> None:
        """Many at once: one by one took twice as long."""
        self._trace.update("".join(self._notes).encode())
        self._notes.clear()
