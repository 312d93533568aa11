"""The panels of the dashboard: the queries of each, and how it shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

View = Literal["stat", "timeseries", "table", "state-timeline"]

SELECT = 'instance=~"$instance"'
"""In every query: the nodes that the reader of the dashboard chose."""

UP_DOWN = [
    {"type": "value", "options": {"1": {"text": "Up", "color": "green"}, "0": {"text": "Down", "color": "blue"}}}
]
YES_NO = [{"type": "value", "options": {"1": {"text": "yes", "color": "green"}, "0": {"text": "no", "color": "red"}}}]


@dataclass(frozen=True, slots=True)
class Panel:
    """``queries`` are pairs: the query, and the name of its lines."""

    title: str
    view: View
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    width: int = 8
    height: int = 8
    mappings: Sequence[Any] = ()
    says: str = ""
    red_from: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: Sequence[Panel] = field(default_factory=tuple)


def _lines(query: str) -> Sequence[tuple[str, str]]:
    """One line for each node."""
    return [(query, "{{instance}}")]


def _each(metric: str) -> Sequence[tuple[str, str]]:
    return _lines(f"{metric}{{{SELECT}}}")


def _age(metric: str, labels: str = "") -> str:
    return f"time() - {metric}{{{SELECT}{labels}}}"


def _rate(metric: str, by: str) -> str:
    return f"sum by (instance, {by}) (increase({metric}{{{SELECT}}}[$__rate_interval]))"


def _quantile(part: float, metric: str, by: str) -> str:
    return f"histogram_quantile({part}, sum by (le, {by}) (rate({metric}_bucket{{{SELECT}}}[$__rate_interval])))"


VERSIONS = f"powerd_build_info{{{SELECT}}} * on (instance) group_left (node, farm) powerd_node_info{{{SELECT}}}"
ENDED = _rate("powerd_wakes_total", "outcome")

ROWS: tuple[Row, ...] = (
    Row(
        "The farm",
        (
            Panel(
                "Target",
                "state-timeline",
                _each("powerd_power_target_up"),
                mappings=UP_DOWN,
                width=12,
                says="What the farmer wants, as each node sees it. A node that sleeps has no data.",
            ),
            Panel("State on chain", "state-timeline", _each("powerd_power_state_up"), mappings=UP_DOWN, width=12),
            Panel("Healthy", "stat", _each("powerd_healthy"), mappings=YES_NO, says="What /healthz answers."),
            Panel("May power off", "stat", _each("powerd_power_management_enabled"), mappings=YES_NO),
            Panel(
                "Not credited",
                "stat",
                _each("powerd_uncredited_seconds"),
                unit="s",
                red_from=1,
                says="Since the node said Down and did not boot.",
            ),
            Panel(
                "Faults",
                "table",
                [(f"powerd_fault{{{SELECT}}} == 1", "")],
                width=16,
                says="docs/faults.md says what each fault means and what ends it.",
            ),
            Panel("Versions", "table", [(VERSIONS, "")]),
        ),
    ),
    Row(
        "What is paid",
        (
            Panel(
                "Age of the last uptime report",
                "timeseries",
                _lines(_age("powerd_last_uptime_report_timestamp_seconds")),
                unit="s",
                width=12,
                red_from=2460,
                says="Beyond 41 min the time is not paid.",
            ),
            Panel(
                "Until a deadline of an uncredited Down",
                "timeseries",
                [(f"powerd_uncredited_deadline_timestamp_seconds{{{SELECT}}} - time()", "{{instance}}: {{deadline}}")],
                unit="s",
                width=12,
            ),
            Panel(
                "Extrinsics",
                "timeseries",
                [(_rate("powerd_extrinsics_total", "call, outcome"), "{{instance}}: {{call}} {{outcome}}")],
                width=16,
            ),
            Panel(
                "Reports not made (unhealthy)",
                "timeseries",
                [(f"increase(powerd_uptime_reports_skipped_total{{{SELECT}}}[$__rate_interval])", "{{instance}}")],
            ),
        ),
    ),
    Row(
        "The own power",
        (
            Panel(
                "Kept up against the target by",
                "state-timeline",
                [(f"powerd_staying_up{{{SELECT}}}", "{{instance}}: {{guard}}")],
            ),
            Panel(
                "Power-off under way",
                "state-timeline",
                [(f"powerd_shutdown_step_info{{{SELECT}}}", "{{instance}}: {{step}}")],
            ),
            Panel("Holds", "timeseries", _each("powerd_holds")),
            Panel(
                "Orders and aborts",
                "timeseries",
                [
                    (_rate("powerd_power_orders_total", "order, forced"), "{{instance}}: {{order}}, forced {{forced}}"),
                    (_rate("powerd_shutdowns_aborted_total", "step"), "{{instance}}: aborted at {{step}}"),
                ],
                width=12,
            ),
            Panel(
                "Why it may not power off",
                "table",
                [(f"powerd_power_management_not_enabled_info{{{SELECT}}}", "")],
                width=12,
            ),
        ),
    ),
    Row(
        "Waking",
        (
            Panel(
                "Nodes being woken",
                "timeseries",
                [(f"powerd_wakes_running{{{SELECT}}}", "{{instance}}: overdue {{overdue}}")],
            ),
            Panel("Wakes that ended", "timeseries", [(ENDED, "{{instance}}: {{outcome}}")]),
            Panel(
                "From the beginning of a wake until Up",
                "timeseries",
                [
                    (_quantile(0.5, "powerd_wake_duration_seconds", "job"), "half"),
                    (_quantile(0.95, "powerd_wake_duration_seconds", "job"), "95 %"),
                ],
                unit="s",
                red_from=1800,
                says="The grid wants a boot within 30 min.",
            ),
            Panel(
                "Magic packets",
                "timeseries",
                [(_rate("powerd_magic_packets_total", "outcome"), "{{instance}}: {{outcome}}")],
                width=12,
            ),
            Panel(
                "Events",
                "timeseries",
                [(_rate("powerd_events_total", "outcome"), "{{instance}}: {{outcome}}")],
                width=12,
            ),
        ),
    ),
    Row(
        "The chain and the loops",
        (
            Panel(
                "Answers of the chain, by endpoint",
                "timeseries",
                [
                    (_quantile(0.5, "powerd_chain_request_duration_seconds", "endpoint"), "{{endpoint}}: half"),
                    (_quantile(0.95, "powerd_chain_request_duration_seconds", "endpoint"), "{{endpoint}}: 95 %"),
                ],
                unit="s",
                width=12,
            ),
            Panel(
                "Age of the newest block seen",
                "timeseries",
                _lines(_age("powerd_chain_head_timestamp_seconds")),
                unit="s",
                width=12,
            ),
            Panel(
                "Since the last look that succeeded",
                "timeseries",
                [(_age("powerd_last_reconcile_timestamp_seconds"), "{{instance}}: {{scope}}")],
                unit="s",
            ),
            Panel(
                "Loops that give no sign of life",
                "timeseries",
                [(f"powerd_loop_silent_seconds{{{SELECT}}}", "{{instance}}: {{loop}}")],
                unit="s",
            ),
            Panel(
                "What fails and is tried again",
                "timeseries",
                [(_rate("powerd_operations_failed_total", "doing"), "{{instance}}: {{doing}}")],
            ),
            Panel(
                "Since events were last handled",
                "timeseries",
                _lines(_age("powerd_last_event_timestamp_seconds")),
                unit="s",
                width=12,
            ),
            Panel(
                "Since the daemon started", "timeseries", _lines(_age("powerd_start_time_seconds")), unit="s", width=12
            ),
        ),
    ),
)
