"""Writes the alert rules for Prometheus: ``python -m app.entrypoints.documents.alerts``.

One rule for each fault, from the table of faults, and a few for what no fault can show, such as a daemon that is gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.domain.faults import FaultKind, Urgency

SEVERITY = {Urgency.AT_ONCE: "critical", Urgency.TODAY: "warning", Urgency.THIS_WEEK: "info"}

OF_THE_FOLLOWER = frozenset({FaultKind.CHAIN_BLOCKS, FaultKind.EVENTS_OUT, FaultKind.BLOCK_CURSOR})
"""`powerd events` serves no metrics: these are in its log, and run the operator's command."""
NOT_SEEN = frozenset({FaultKind.METRICS})
"""Where metrics are not served, Prometheus sees no fault: `PowerdUnreachable` fires."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule. It fires when ``expr`` was true for ``lasts``, so that trouble that ends by itself wakes no person."""

    name: str
    expr: str
    lasts: str
    urgency: Urgency
    summary: str
    action: str


def of_fault(kind: FaultKind) -> Alert | None:
    """The rule for a fault; None where the daemon's metrics cannot show it."""
    if kind in OF_THE_FOLLOWER | NOT_SEEN:
        return None
    name = "PowerdFault" + "".join(word.capitalize() for word in kind.name.split("_"))
    expr = f'powerd_fault{{kind="{kind.name.lower()}"}} == 1'
    lasts = "5m" if kind.urgency is Urgency.AT_ONCE else "15m"
    return Alert(name, expr, lasts, kind.urgency, kind.meaning, kind.remedy)


OTHERS: tuple[Alert, ...] = (
    Alert(
        "PowerdUnreachable",
        'up{job="powerd"} == 0 and on (instance, job) last_over_time(powerd_power_target_up[1d]) == 1',
        "10m",
        Urgency.AT_ONCE,
        "Prometheus can't reach the daemon of a node whose target is Up.",
        "Look whether the machine runs (`powerd farm list` shows its last report), whether powerd runs (`systemctl "
        "status powerd`), and whether Prometheus may reach metrics.host and metrics.port.",
    ),
    Alert(
        "PowerdUnhealthy",
        'powerd_healthy == 0 unless on (instance, job) powerd_fault{urgency="at_once"} == 1',
        "10m",
        Urgency.AT_ONCE,
        "The daemon does not do its work: a loop hangs, or it does not know which node this is.",
        "`curl http://127.0.0.1:9617/healthz` on the node says why and what to do.",
    ),
    Alert(
        "PowerdNoUptimeReport",
        "time() - powerd_last_uptime_report_timestamp_seconds > 2460 "
        'unless on (instance, job) powerd_fault{kind="uptime"} == 1',
        "0m",
        Urgency.AT_ONCE,
        "The chain has taken no uptime report of the node for 41 min. Time beyond that is not paid.",
        "`powerd status` on the node says what fails: its clock, its account, the chain, or its health.",
    ),
    Alert(
        "PowerdNotReconciled",
        'time() - powerd_last_reconcile_timestamp_seconds{scope="node"} > 1200 '
        'unless on (instance, job) powerd_fault{kind="own_power"} == 1',
        "0m",
        Urgency.AT_ONCE,
        "For 20 min the node did not bring its power in step with the chain. It obeys no target.",
        "See that one of chain.urls answers (on Zero-OS: api-gateway); `powerd status` says what fails.",
    ),
    Alert(
        "PowerdFarmNotReconciled",
        'time() - powerd_last_reconcile_timestamp_seconds{scope="farm"} > 5400 '
        'unless on (instance, job) powerd_fault{kind="farm_power"} == 1',
        "0m",
        Urgency.TODAY,
        "The node did not look at its farm for 90 min. It wakes only nodes of which an event comes.",
        "See that one of chain.urls answers (on Zero-OS: api-gateway); `powerd status` says what fails.",
    ),
    Alert(
        "PowerdOldHead",
        "time() - powerd_chain_head_timestamp_seconds > 1200 and on (instance, job) "
        'time() - powerd_last_reconcile_timestamp_seconds{scope="node"} < 1200',
        "0m",
        Urgency.TODAY,
        "The node reads the chain, and the newest block there is older than 20 min. In doubt the node stays up.",
        "See whether the chain makes blocks, and whether the endpoints (chain.urls) keep up with it.",
    ),
    Alert(
        "PowerdDeadlineNear",
        "powerd_uncredited_deadline_timestamp_seconds - time() < 3600",
        "0m",
        Urgency.AT_ONCE,
        "In less than an hour the node loses the credit for its sleep: it said Down, and no boot and report followed.",
        "`powerd status` on the node says what ends it: reboot the machine by hand, or lift what keeps it up.",
    ),
    Alert(
        "PowerdStaysUp",
        "powerd_power_target_up == 0 and on (instance, job) powerd_power_state_up == 1",
        "2h",
        Urgency.THIS_WEEK,
        "The node's target is Down, and it stays up: a guard or a hold keeps it.",
        "`powerd status` on the node says which; `powerd hold list` shows the holds.",
    ),
    Alert(
        "PowerdExtrinsicsFail",
        'increase(powerd_extrinsics_total{outcome=~"failed|uncertain"}[6h]) > 5',
        "0m",
        Urgency.TODAY,
        "Extrinsics of the node fail again and again. Each can cost a fee.",
        "The node's log says why each failed (`journalctl -u powerd`).",
    ),
    Alert(
        "PowerdUnreadableEvents",
        'increase(powerd_events_total{outcome="dead"}[1h]) > 0',
        "0m",
        Urgency.THIS_WEEK,
        "powerd put aside entries of the event stream that it can't read. It finds what changed some minutes later.",
        "Look at the stream events.dead_letter_stream, and find the program that writes such entries into this Redis.",
    ),
    Alert(
        "PowerdRestarts",
        "changes(powerd_start_time_seconds[1h]) > 3",
        "0m",
        Urgency.TODAY,
        "The daemon was started more than three times within an hour.",
        "`journalctl -u powerd` says why it ended.",
    ),
    Alert(
        "PowerdSlowWakes",
        "increase(powerd_wake_duration_seconds_sum[1d]) - 1200 * increase(powerd_wake_duration_seconds_count[1d]) > 0",
        "0m",
        Urgency.TODAY,
        "On average a wake took more than 20 min. A boot that takes more than 30 min loses the credit for the sleep.",
        "Look at what delays the boot of those nodes: their firmware, a check of the disks, a network that comes late.",
    ),
)

ALERTS: tuple[Alert, ...] = (*OTHERS, *filter(None, map(of_fault, FaultKind)))

HEAD = """# Alert rules for powerd; docs/monitoring.md says how to use them.
# Generated by `python -m app.entrypoints.documents.alerts`; change app/entrypoints/documents/alerts.py or
# app/domain/faults.py instead.
groups:
  - name: powerd
    rules:"""


def document() -> str:
    return "\n".join([HEAD, *(line for alert in ALERTS for line in _rule(alert)), ""])


def _rule(alert: Alert) -> Iterator[str]:
    yield f"      - alert: {alert.name}"
    yield f"        expr: {json.dumps(alert.expr)}"
    yield f"        for: {alert.lasts}"
    yield "        labels:"
    yield f"          severity: {SEVERITY[alert.urgency]}"
    yield "        annotations:"
    yield f"          summary: {_text(alert.summary)}"
    yield f"          description: {_text(alert.action)}"


def _text(text: str) -> str:
    """A line of YAML. Prometheus reads text in double braces as a template."""
    assert "{{" not in text
    return json.dumps(text, ensure_ascii=False)


def name_of(kind: FaultKind) -> str:
    """The alert of a fault, as a table of faults shows it."""
    alert = of_fault(kind)
    if alert is not None:
        return f"`{alert.name}`"
    return (
        "none: the log of `powerd events`, and `faults.hook_command`"
        if kind in OF_THE_FOLLOWER
        else "`PowerdUnreachable`"
    )


if __name__ == "__main__":
    Path(__file__).parents[3].joinpath("packaging", "prometheus", "powerd.rules.yaml").write_text(document())
