"""What a planted defect is: a change of the daemon that wraps `assemble`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from app.domain.model import NodeIdentity
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.node_services import NodeServices
from app.entrypoints.simulator.experiments.explore import HOURS, explored_plan
from app.entrypoints.simulator.plan.farmer_policies import FarmerPolicy, policy_of
from app.entrypoints.simulator.plan.plan import Plan, PolicyPlan
from app.entrypoints.simulator.run.outcome import Outcome
from app.entrypoints.simulator.run.run import run
from app.entrypoints.wiring.node_services import Ports, assemble
from app.entrypoints.wiring.policies import Policies

NEVER_S = 1e9


@dataclass(frozen=True, slots=True)
class Defect:
    """What is changed for every daemon that starts. ``text`` says what the reference does."""

    text: str
    ports: Callable[[Ports], Ports] = lambda ports: ports
    policies: Callable[[Policies], Policies] = lambda policies: policies
    services: Callable[[NodeServices, Ports], None] = lambda services, ports: None
    policy: Callable[[PolicyPlan], FarmerPolicy] = policy_of
    hours: float = HOURS
    """How long a seed's world has to run so that the defect can show."""

    def run(self, seed: int) -> Outcome:
        """The seed's world, with the defect in every daemon, or in its farmers' bot."""
        return run(self.world(seed), build=self.build, policy=self.policy)

    def world(self, seed: int) -> Plan:
        """The plan of the seed. Faults come in its first hours only, however long it runs."""
        return replace(explored_plan(seed), hours=self.hours)

    def build(self, node: NodeIdentity, ports: Ports, policies: Policies, faults: FaultBoard) -> NodeServices:
        """The daemon's services, with the defect."""
        services = assemble(node, self.ports(ports), self.policies(policies), faults)
        self.services(services, ports)
        return services


def plant(service: Any, name: str, defect: object) -> None:
    """Put the defect in the place of a method. Raises `AttributeError` where the daemon has no such method any more."""
    getattr(service, name)
    setattr(service, name, defect)


class Wrapped:
    """A port that passes calls on to another. A subclass overrides what it changes, and nothing else."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        for name in vars(type(self)).keys() - vars(Wrapped).keys():
            getattr(inner, name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def chain_wrapped(wrap: type[Wrapped]) -> Callable[[Ports], Ports]:
    return lambda ports: dataclasses.replace(ports, chain=wrap(ports.chain))
