"""Every metric of powerd: name, labels, and what it says. docs/monitoring.md is made from this table.

Names follow Prometheus' conventions: base units, and ``_total`` for what only grows.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from app.domain.commands import Guard
from app.domain.measurements import Call, Fate
from app.domain.rules.wake import Then

NO_LABELS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class Kind(enum.Enum):
    """How Prometheus treats it; the value is as in the text format."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, eq=False)
class Metric:
    """``labels`` maps each label to all its values, where these are known: a counter has them from the start.

    An info metric is always 1, and its labels have the facts. A gauge without a sample is not known, or does not apply
    now.
    """

    name: str
    kind: Kind
    says: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NO_LABELS)
    buckets: tuple[float, ...] = ()


def name_of(value: enum.Enum) -> str:
    """How a label writes it: ``not_sent``."""
    return value.name.lower()


def _names(kinds: type[enum.Enum]) -> tuple[str, ...]:
    return tuple(name_of(kind) for kind in kinds)


ANY: tuple[str, ...] = ()
"""Values that are known only when they occur."""

WAKE_OUTCOMES: Mapping[str, str] = {
    then.value.removeprefix("end: "): name_of(then) for then in Then if then.value.startswith("end: ")
}
"""How a wake can end: the event's words, and the label's."""
AWAKE = name_of(Then.AWAKE)

SCOPES: Mapping[str, str] = {"itself": "node", "the farm": "farm"}
"""The subject of a look: the domain's words, and the label's."""

# -- who and what --------------------------------------------------------------------------------------
BUILD_INFO = Metric("powerd_build_info", Kind.GAUGE, "Always 1; the version of powerd.", {"version": ANY})
START_TIME = Metric("powerd_start_time_seconds", Kind.GAUGE, "When the daemon started (Unix time).")
NODE_INFO = Metric(
    "powerd_node_info",
    Kind.GAUGE,
    "Always 1; ids of this node on chain. Missing while they are not known.",
    {"node": ANY, "farm": ANY, "twin": ANY},
)

# -- the own power -------------------------------------------------------------------------------------
TARGET_UP = Metric("powerd_power_target_up", Kind.GAUGE, "1: the node's target on chain is Up; 0: it is Down.")
STATE_UP = Metric("powerd_power_state_up", Kind.GAUGE, "1: the node's state on chain is Up; 0: it is Down.")
ENABLED = Metric(
    "powerd_power_management_enabled", Kind.GAUGE, "1: the node may power off; 0: it may not, whatever its target."
)
NOT_ENABLED_INFO = Metric(
    "powerd_power_management_not_enabled_info",
    Kind.GAUGE,
    "1 while the node may not power off; the reason, without its figures.",
    {"reason": ANY},
)
STAYING_UP = Metric(
    "powerd_staying_up",
    Kind.GAUGE,
    "1: this guard keeps the node up against its target, or without knowing it.",
    {"guard": _names(Guard)},
)
SHUTDOWN_STEP = Metric(
    "powerd_shutdown_step_info", Kind.GAUGE, "1 while a power-off is under way; its step.", {"step": ANY}
)
POWER_ORDERS = Metric(
    "powerd_power_orders_total",
    Kind.COUNTER,
    "Orders to power off or reboot that the host accepted.",
    {"order": ("power-off", "reboot"), "forced": ("false", "true")},
)
SHUTDOWNS_ABORTED = Metric(
    "powerd_shutdowns_aborted_total", Kind.COUNTER, "Power-offs that stopped before the order.", {"step": ANY}
)
UNCREDITED = Metric(
    "powerd_uncredited_seconds",
    Kind.GAUGE,
    "For how long the node's uptime has not been credited: it said Down and did not boot. 0 while it is credited.",
)
UNCREDITED_DEADLINE = Metric(
    "powerd_uncredited_deadline_timestamp_seconds",
    Kind.GAUGE,
    "The last moment (Unix time, the chain's) at which a boot, or the report after it, loses nothing. "
    "Missing while uptime is credited.",
    {"deadline": ("boot", "report")},
)
HOLDS = Metric("powerd_holds", Kind.GAUGE, "Holds that keep the node up, as of the last look.")

# -- the last success ----------------------------------------------------------------------------------
LAST_REPORT = Metric(
    "powerd_last_uptime_report_timestamp_seconds",
    Kind.GAUGE,
    "When the sample of this process's last uptime report that the chain took was taken (Unix time).",
)
LAST_RECONCILE = Metric(
    "powerd_last_reconcile_timestamp_seconds",
    Kind.GAUGE,
    "When the node, or its farm, was last brought in step with the chain (Unix time).",
    {"scope": tuple(SCOPES.values())},
)
LAST_EVENT = Metric(
    "powerd_last_event_timestamp_seconds", Kind.GAUGE, "When events were last handled (Unix time); missing before."
)
LAST_HEAD = Metric(
    "powerd_chain_head_timestamp_seconds",
    Kind.GAUGE,
    "The time of the chain's best head at the last look at the own power (Unix time, the chain's).",
)
HEAD_BLOCK = Metric("powerd_chain_head_block", Kind.GAUGE, "The number of that head; missing behind a gateway.")

# -- waking --------------------------------------------------------------------------------------------
WAKES = Metric(
    "powerd_wakes_total",
    Kind.COUNTER,
    "Wakes that ended. Awake: the chain shows the node Up; unwanted: its target is Down; absent: it left the farm; "
    "spent: its state is Up, and all bursts were sent; leave: its state is Up, and other nodes call it.",
    {"outcome": tuple(WAKE_OUTCOMES.values())},
)
WAKE_DURATION = Metric(
    "powerd_wake_duration_seconds",
    Kind.HISTOGRAM,
    "From the beginning of a wake until the chain showed the node Up. The grid wants a boot within 1800 s.",
    buckets=(30, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 3600),
)
WAKES_RUNNING = Metric(
    "powerd_wakes_running",
    Kind.GAUGE,
    "Nodes being woken now; overdue: they should have woken.",
    {"overdue": ("false", "true")},
)
MAGIC_PACKETS = Metric("powerd_magic_packets_total", Kind.COUNTER, "Magic packets.", {"outcome": ("sent", "failed")})

# -- events, chain -------------------------------------------------------------------------------------
EVENTS = Metric(
    "powerd_events_total",
    Kind.COUNTER,
    "Entries of the event stream: handled, postponed after a failure (each time), or moved to the dead letters.",
    {"outcome": ("handled", "retried", "dead")},
)
EXTRINSICS = Metric(
    "powerd_extrinsics_total",
    Kind.COUNTER,
    "Extrinsics of this node. Included ones are free; failed and uncertain ones may cost a fee.",
    {"call": tuple(call.value for call in Call), "outcome": _names(Fate)},
)
REPORTS_SKIPPED = Metric(
    "powerd_uptime_reports_skipped_total", Kind.COUNTER, "Uptime reports not made, since the node is not healthy."
)
CHAIN_LATENCY = Metric(
    "powerd_chain_request_duration_seconds",
    Kind.HISTOGRAM,
    "How long the chain took to answer a request, or a batch of them.",
    {"endpoint": ANY},
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)

# -- what is wrong -------------------------------------------------------------------------------------
FAULTS = Metric(
    "powerd_fault",
    Kind.GAUGE,
    "1 while there is a fault; kind is its row in docs/faults.md.",
    {"key": ANY, "kind": ANY, "urgency": ANY},
)
FAILURES = Metric(
    "powerd_operations_failed_total", Kind.COUNTER, "Attempts that failed and are tried again.", {"doing": ANY}
)
LOOP_SILENT = Metric(
    "powerd_loop_silent_seconds",
    Kind.GAUGE,
    "For how long a loop gave no sign of life, beyond the wait that it announced; it hangs after half of "
    "supervision.stuck_after_s.",
    {"loop": ANY},
)
HEALTHY = Metric("powerd_healthy", Kind.GAUGE, "1: /healthz answers 200; 0: it answers 503.")

METRICS: tuple[Metric, ...] = tuple(value for value in globals().values() if isinstance(value, Metric))
"""All of them, in this order."""
