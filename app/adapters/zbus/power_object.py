"""powerd's own object on zbus: module ``power``, object ``power@0.0.1``.

``app/entrypoints/documents/zbus.py`` generates docs/zbus.md from the tables here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.adapters.codecs.go_types import BOOL, INT64, STRING, TIME, UINT32, UINT64, Slice, StringMap, Struct
from app.adapters.codecs.zbus_frames import ObjectId
from app.adapters.zbus.server import Served
from app.domain.errors import PermanentError
from app.domain.events import UptimeSkipped
from app.domain.model import Hold, NodeId
from app.domain.status import FaultStatus, NodeStatus, UncreditedStatus, WakeStatus
from app.ports.operator import Operator

MODULE = "power"
OBJECT = ObjectId("power", "0.0.1")

HOLD = Struct("Hold", (("Holder", STRING), ("Reason", STRING), ("ExpiresAt", INT64)))
WAKE = Struct(
    "Wake",
    (("Node", UINT32), ("Reason", STRING), ("Attempts", UINT32), ("RunningFor", UINT64), ("Overdue", BOOL)),
)
UNCREDITED = Struct("Uncredited", (("Since", INT64), ("RequestedAt", INT64), ("BootBy", INT64), ("ReportBy", INT64)))
FAULT = Struct("Fault", (("Key", STRING), ("Message", STRING), ("Since", INT64), ("Remedy", STRING)))
UPTIME = Struct("UptimeReport", (("Uptime", UINT64), ("TakenAt", INT64), ("Age", UINT64)))
STATE = Struct(
    "State",
    (
        ("Version", STRING),
        ("WaitingFor", STRING),
        ("Node", UINT32),
        ("Farm", UINT32),
        ("Twin", UINT32),
        ("Enabled", BOOL),
        ("NotEnabled", STRING),
        ("Target", STRING),
        ("Power", STRING),
        ("DownSince", UINT32),
        ("Block", UINT32),
        ("LookedAt", INT64),
        ("StayingUp", STRING),
        ("Shutdown", STRING),
        ("Holds", Slice(HOLD)),
        ("LastUptime", UPTIME),
        ("Unhealthy", Slice(STRING)),
        ("Wakes", Slice(WAKE)),
        ("Faults", Slice(FAULT)),
        ("Uncredited", UNCREDITED),
        ("ProvedWake", INT64),
    ),
)
DOMAIN_EVENT = Struct(
    "DomainEvent",
    (("Time", TIME), ("Kind", STRING), ("Message", STRING), ("Facts", StringMap())),
)


class Unhealthy(PermanentError):
    """No report was made, since the node is not healthy."""


class PowerObject:
    """The methods of the object, each a call of ``operator``."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator

    def methods(self) -> Mapping[str, Served]:
        return {
            "State": Served((), STATE, self._state),
            "Reconcile": Served((), None, self._reconcile),
            "ReportUptime": Served((), UPTIME, self._report_uptime),
            "Wake": Served((UINT32,), None, self._wake),
        }

    async def _state(self) -> Mapping[str, Any]:
        return state(self.operator.status())

    async def _reconcile(self) -> None:
        await self.operator.reconcile()

    async def _report_uptime(self) -> Mapping[str, Any]:
        result = await self.operator.report_uptime()
        if isinstance(result, UptimeSkipped):
            raise Unhealthy(f"no uptime was reported: this node is not healthy ({', '.join(result.problems)})")
        return {"Uptime": result.sample.uptime_s, "TakenAt": result.sample.taken_at_s, "Age": 0}

    async def _wake(self, node: int) -> None:
        await self.operator.wake(NodeId(node))


def state(status: NodeStatus) -> Mapping[str, Any]:
    who, power, head, last = status.identity, status.power, status.head, status.last_uptime
    return {
        "Version": status.version,
        "WaitingFor": status.waiting_for,
        "Node": 0 if who is None else who.node,
        "Farm": 0 if who is None else who.farm,
        "Twin": 0 if who is None else who.twin,
        "Enabled": who is not None and not status.not_enabled,
        "NotEnabled": status.not_enabled,
        "Target": "" if power is None else power.target.value,
        "Power": "" if power is None else power.state.power.value,
        "DownSince": 0 if power is None else power.state.since_block or 0,
        "Block": 0 if head is None else head.number or 0,
        "LookedAt": int(status.looked_at_s or 0),
        "StayingUp": status.staying_up,
        "Shutdown": status.shutdown_step,
        "Holds": [_hold(hold) for hold in status.holds],
        "LastUptime": {
            "Uptime": 0 if last is None else last.uptime_s,
            "TakenAt": 0 if last is None else last.taken_at_s,
            "Age": int(status.last_uptime_age_s or 0),
        },
        "Unhealthy": status.problems,
        "Wakes": [_wake(wake) for wake in status.wakes],
        "Faults": [_fault(fault) for fault in status.faults],
        "Uncredited": _uncredited(status.uncredited),
        "ProvedWake": int(status.proved_wake_at_s or 0),
    }


def _uncredited(window: UncreditedStatus | None) -> Mapping[str, Any]:
    if window is None:
        return {"Since": 0, "RequestedAt": 0, "BootBy": 0, "ReportBy": 0}
    return {
        "Since": int(window.since_s),
        "RequestedAt": int(window.requested_at_s or 0),
        "BootBy": int(window.boot_by_s or 0),
        "ReportBy": int(window.report_by_s),
    }


def _hold(hold: Hold) -> Mapping[str, Any]:
    return {"Holder": hold.holder, "Reason": hold.reason, "ExpiresAt": int(hold.expires_at_s or 0)}


def _wake(wake: WakeStatus) -> Mapping[str, Any]:
    running_for = int(wake.running_for_s)
    return {
        "Node": wake.node,
        "Reason": wake.reason,
        "Attempts": wake.attempts,
        "RunningFor": running_for,
        "Overdue": wake.overdue,
    }


def _fault(fault: FaultStatus) -> Mapping[str, Any]:
    return {"Key": fault.key, "Message": fault.message, "Since": int(fault.since_s), "Remedy": fault.remedy}
