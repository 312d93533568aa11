"""What ``api-gateway`` says of nodes, as values of the domain; pure.

Go takes a state whose flag IsUp is false for Down, so that an answer with neither flag set powers
a node off. Here exactly one flag has to be set; anything else is unreadable, and doubt (R6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.model import FarmId, Node, NodeId, NodePower, Power, PowerState, TwinId, Unreadable, woken_address


def node_power(value: Mapping[str, Any]) -> NodePower | Unreadable:
    """A value of the type ``NodePower``."""
    state, target = _power(value["State"]), _power(value["Target"])
    if state is None or target is None:
        return Unreadable(f"neither Up nor Down, or both: {dict(value)}")
    since = value["State"]["AsDownBlockNumber"] if state is Power.DOWN else None
    return NodePower(PowerState(state, since), target)


def _power(flags: Mapping[str, Any]) -> Power | None:
    if flags["IsUp"] == flags["IsDown"]:
        return None
    return Power.UP if flags["IsUp"] else Power.DOWN


def node_record(value: Mapping[str, Any]) -> Node:
    """A value of the type ``Node``."""
    mac, problem = woken_address((interface["Name"], interface["Mac"]) for interface in value["Interfaces"])
    return Node(NodeId(value["ID"]), FarmId(value["FarmID"]), TwinId(value["TwinID"]), mac, problem)
