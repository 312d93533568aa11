"""``powerd status``: what this node believes and does now, asked of the running daemon over zbus."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from app.adapters.telemetry.log import one_line
from app.adapters.zbus.client import NoAnswer, ZbusClient
from app.adapters.zbus.neighbours import Remote, RemoteMethod
from app.adapters.zbus.power_object import MODULE, OBJECT, STATE
from app.domain.errors import PermanentError
from app.domain.moments import utc

STATE_OF = RemoteMethod(Remote(MODULE, OBJECT), "State", (), STATE)
TIMEOUT_S = 5.0


class DaemonSilent(PermanentError):
    """No daemon answered."""


def show_status(broker: str, out: TextIO, *, as_json: bool) -> None:
    """Ask and print; `DaemonSilent` when no daemon answers on that Redis within 5 s."""
    told = asyncio.run(_ask(broker))
    if as_json:
        out.write(json.dumps(told, indent=2) + "\n")
        return
    out.writelines(f"{label:<12} {one_line(text)}\n" for label, text in lines_of(told))


async def _ask(url: str) -> Mapping[str, Any]:
    client = ZbusClient(url)
    try:
        told: Mapping[str, Any] = await client.call(STATE_OF, timeout_s=TIMEOUT_S)
    except NoAnswer as error:
        raise DaemonSilent(
            f"no daemon answers ({error}); see that powerd runs, that this is its Redis (powerd status --broker "
            "URL, or broker.url), and that it serves (zbus.serve; never in profile simulated)"
        ) from error
    else:
        return told
    finally:
        await client.close()


def lines_of(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Label and text of each line."""
    yield "powerd", told["Version"]
    if told["WaitingFor"]:
        yield "waiting", told["WaitingFor"]
    else:
        yield from _node(told)
    for fault in told["Faults"]:
        yield "fault", fault["Message"]


def _node(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "node", f"{told['Node']} of farm {told['Farm']} (twin {told['Twin']})"
    block = f", block {told['Block']}" if told["Block"] else ""
    since = f" since block {told['DownSince']}" if told["DownSince"] else ""
    seen = f"target {told['Target']}, state {told['Power']}{since}{block}"
    if not told["Target"]:
        # A look that ended with neither a target nor a state met an answer that is none.
        seen = "its answer about this node can't be understood" if told["LookedAt"] else "not read yet"
    yield "chain", seen
    yield "power-off", "enabled" if told["Enabled"] else f"not enabled: {told['NotEnabled']}"
    if told["StayingUp"]:
        yield "staying up", told["StayingUp"]
    if told["Shutdown"]:
        yield "shutdown", told["Shutdown"]
    if told["Uncredited"]["Since"]:
        yield "not paid", _not_paid(told["Uncredited"])
    for hold in told["Holds"]:
        yield "hold", f"{hold['Holder']}: {hold['Reason']}"
    last = told["LastUptime"]
    yield "uptime", f"{last['Uptime']} s, reported {last['Age']} s ago" if last["TakenAt"] else "not reported yet"
    if told["Unhealthy"]:
        yield "unhealthy", ", ".join(told["Unhealthy"])
    for wake in told["Wakes"]:
        overdue = ", overdue" if wake["Overdue"] else ""
        so_far = f"{wake['Attempts']} bursts in" if wake["Attempts"] else "left to other nodes for"
        yield "waking", f"node {wake['Node']}: {so_far} {wake['RunningFor']} s{overdue}"


def _not_paid(window: Mapping[str, int]) -> str:
    since = f"uptime is not credited since {utc(window['Since'])}"
    if not window["RequestedAt"]:
        return f"{since}; shut down and woken by {utc(window['ReportBy'])}, nothing is lost"
    return f"{since}; called Up at {utc(window['RequestedAt'])}, a boot by {utc(window['BootBy'])} loses nothing"
