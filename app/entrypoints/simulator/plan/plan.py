"""The plan of a simulation: everything that shapes a run, as values that can be written down.

Two runs of one plan are equal to the last event. A plan is made from the command line and files
(`app.entrypoints.simulator.input.planning`), sent to workers as JSON, and printed with the result.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

YEAR_S = 366 * 86_400.0

Seconds = Annotated[float, Meta(ge=0, le=YEAR_S)]
PositiveSeconds = Annotated[float, Meta(gt=0, le=YEAR_S)]
PaceSeconds = Annotated[float, Meta(ge=0.1, le=86_400)]
"""The shortest interval of what repeats for the whole run: with a shorter one a run would take too long."""
Fraction = Annotated[float, Meta(ge=0, le=1)]
Watts = Annotated[float, Meta(ge=0, le=1e6)]
Price = Annotated[float, Meta(ge=0, le=1e6)]


class Part(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the plan."""


class NodePlan(Part, frozen=True):
    """One machine; an empty ``mac`` is made up, an empty ``chain_mac`` is the same on chain."""

    id: Annotated[int, Meta(ge=1, le=2**32 - 1)]
    mac: str = ""
    chain_mac: str = ""
    segment: str = ""
    """Layer-2 segment: machines of different ones can't wake each other."""
    boot_s: PositiveSeconds = 90.0
    shutdown_s: PositiveSeconds = 20.0
    slots: Annotated[int, Meta(ge=1, le=10_000)] = 8
    """How many units of workload it carries."""
    can_be_woken: bool = True
    """Whether its card supports Wake-on-LAN at all."""
    target: str = ""
    """At the start; empty: Down for one that is asleep, else Up."""
    asleep: bool = False
    """Dark at the start, and Down on chain."""
    asleep_w: Watts | None = None
    """This and the next three: where the node differs from [energy]."""
    idle_w: Watts | None = None
    busy_w: Watts | None = None
    price_per_kwh: Price | None = None

    @property
    def first_target(self) -> str:
        return self.target or ("Down" if self.asleep else "Up")


class FarmPlan(Part, frozen=True):
    """The farmer's machines."""

    id: Annotated[int, Meta(ge=1, le=2**32 - 1)]
    nodes: tuple[NodePlan, ...]


class BotPlan(Part, frozen=True):
    """The farmer's bot."""

    awake_min: Annotated[int, Meta(ge=0)] = 1
    """The number of nodes that always stay awake."""
    wake_threshold: Fraction = 0.8
    """Share of the awake nodes' slots in use, from which on one more node is woken."""
    up_s_min: Seconds = 1800.0
    """A node that woke stays up for at least this time."""
    daily_wake_up: bool = True
    """Every sleeper is woken once a day, in a minute of its own."""
    round_s: PaceSeconds = 300.0


class ScriptedTarget(Part, frozen=True):
    """One line of a script."""

    at_s: Seconds
    node: int
    target: str


class PolicyPlan(Part, frozen=True):
    """Who sets the power targets: ``always-on``, ``bot``, or ``script``."""

    kind: str = "bot"
    bot: BotPlan = BotPlan()
    script: tuple[ScriptedTarget, ...] = ()


class Deployment(Part, frozen=True):
    """A workload that came at ``at_s`` and stays ``for_s`` once it runs."""

    at_s: Seconds
    farm: int
    slots: Annotated[int, Meta(ge=1)]
    for_s: PositiveSeconds


class WorkloadPlan(Part, frozen=True):
    """Deployments: ``load`` of the farm's slots on average, with a daily cycle; or a trace of given ones."""

    load: Fraction = 0.2
    daily_swing: Fraction = 0.6
    """0: the same all day; 1: nothing at four in the morning, double at four in the afternoon."""
    lifetime_s_mean: Annotated[float, Meta(ge=60, le=YEAR_S)] = 6 * 3600.0
    trace: tuple[Deployment, ...] | None = None


class FaultPlan(Part, frozen=True):
    """One thing that goes wrong: from ``at_s`` on for ``for_s`` (0: it is over at once).

    ``subject`` is ``all``, ``farm N`` or ``node N``; each kind says what its ``amount`` means.
    """

    at_s: Seconds
    kind: str
    subject: str = "all"
    for_s: Seconds = 0.0
    amount: Annotated[float, Meta(ge=-1e6, le=1e6)] = 0.0


class ChainPlan(Part, frozen=True):
    """The chain's own pace."""

    block_time_s: PaceSeconds = 6.0
    finality_lag_blocks: Annotated[int, Meta(ge=0, le=64)] = 3
    latency_s: Annotated[float, Meta(ge=0, le=60)] = 0.0
    """Of every answer; each costs a timer, which makes a run slower by a tenth."""


class EnergyPlan(Part, frozen=True):
    """What a node draws, and what that costs. Defaults: a small rack server, a European household's tariff."""

    asleep_w: Watts = 3.0
    idle_w: Watts = 60.0
    busy_w: Watts = 120.0
    price_per_kwh: Price = 0.30
    currency: str = "EUR"

    def of(self, node: NodePlan) -> EnergyPlan:
        return EnergyPlan(
            asleep_w=self.asleep_w if node.asleep_w is None else node.asleep_w,
            idle_w=self.idle_w if node.idle_w is None else node.idle_w,
            busy_w=self.busy_w if node.busy_w is None else node.busy_w,
            price_per_kwh=self.price_per_kwh if node.price_per_kwh is None else node.price_per_kwh,
            currency=self.currency,
        )


class IncomePlan(Part, frozen=True):
    """What the grid pays for a node whose whole month is credited; 0: money lost is not computed."""

    per_node_and_month: Annotated[float, Meta(ge=0, le=1e6)] = 0.0


class Plan(Part, frozen=True):
    """A whole run."""

    seed: int
    hours: Annotated[float, Meta(gt=0, le=8784)]
    farms: tuple[FarmPlan, ...]
    policy: PolicyPlan = PolicyPlan()
    workload: WorkloadPlan = WorkloadPlan()
    faults: tuple[FaultPlan, ...] = ()
    chain: ChainPlan = ChainPlan()
    energy: EnergyPlan = EnergyPlan()
    income: IncomePlan = IncomePlan()
    settings: dict[str, object] = field(default_factory=dict)
    """Settings of every node's daemon that differ from the defaults, as on its command line (``wake.packets``)."""
    calm_s: Seconds = 3600.0
    """Time without faults at the end of the run, by whose end everything must be well."""

    @property
    def end_s(self) -> float:
        """Virtual seconds the run takes."""
        return self.hours * 3600.0

    @property
    def nodes(self) -> int:
        """Number of machines."""
        return sum(len(farm.nodes) for farm in self.farms)
